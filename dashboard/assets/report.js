// Draws a report's figures in the colours of the reader's theme; printed they are light and fit a page of A4.
"use strict";
(() => {
  const PRINTED = 680; // pixels of CSS between the margins of a page of A4
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const places = [...document.querySelectorAll(".plot")];
  const specs = places.map((place) => JSON.parse(place.querySelector("script").textContent));

  const inTheme = (spec, isDark) => {
    const figure = structuredClone(spec.figure);
    for (const [path, value] of isDark ? spec.dark : []) {
      const last = path.length - 1;
      let at = figure;
      for (const step of path.slice(0, last)) at = at[step];
      at[path[last]] = value;
    }
    return figure;
  };

  const draw = (number, printed) => {
    const place = places[number], spec = specs[number];
    const figure = inTheme(spec, dark.matches && !printed);
    const room = printed ? PRINTED : place.parentElement.clientWidth;
    const width = Math.max(room, spec.least);
    const shrink = printed && width > PRINTED ? PRINTED / width : 1;
    place.style.zoom = shrink;
    figure.layout.width = width;
    figure.layout.autosize = false;
    return Plotly.react(place.querySelector(".drawing"), figure.data, figure.layout, {
      displaylogo: false,
      modeBarButtons: [["toImage"]],
      toImageButtonOptions: { format: "svg", filename: spec.name },
    });
  };

  const all = (printed) => Promise.all(places.map((place, number) => draw(number, printed)));
  let printing = false;
  all(false).then(() => document.documentElement.setAttribute("data-drawn", "yes"));
  dark.addEventListener("change", () => all(printing));
  let asked = 0;
  addEventListener("resize", () => {
    if (printing) return;
    clearTimeout(asked);
    asked = setTimeout(() => all(false), 150);
  });
  const opened = [];
  addEventListener("beforeprint", () => {
    printing = true;
    for (const folded of document.querySelectorAll("details:not([open])")) {
      folded.open = true;
      opened.push(folded);
    }
    all(true);
  });
  addEventListener("afterprint", () => {
    printing = false;
    for (const folded of opened.splice(0)) folded.open = false;
    all(false);
  });
})();
