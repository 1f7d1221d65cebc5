// Draws a report's figures in the colours of the reader's theme; printed they are light and fit a page of A4.
"use strict";
(() => {
  // Pixels of CSS between the margins of a page of A4, less what a heading and a caption need.
  const UPRIGHT = { width: 680, height: 780 }, ACROSS = { width: 1000, height: 520 };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const places = [...document.querySelectorAll(".plot")];
  const specs = [];

  const read = async (script) => {
    if (script.type === "application/json") return JSON.parse(script.textContent);
    const bytes = Uint8Array.from(atob(script.textContent), (letter) => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(plain).json();
  };

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

  // What a figure shrinks by on a page.
  const shrunk = (page, least, height) => Math.min(1, page.width / Math.max(page.width, least), page.height / height);

  const draw = (number, printed) => {
    const place = places[number], spec = specs[number];
    const figure = inTheme(spec, dark.matches && !printed);
    const height = figure.layout.height || 450;
    const [upright, across] = [UPRIGHT, ACROSS].map((page) => shrunk(page, spec.least, height));
    // A page across begins a new one: only for what would become too small to read.
    const wide = printed && upright < 0.75 && across > 1.15 * upright;
    place.closest("figure").classList.toggle("wide", wide);
    const shrink = printed ? (wide ? across : upright) : 1;
    const width = printed // the whole width of the page, once it has shrunk
      ? (wide ? ACROSS : UPRIGHT).width / shrink
      : Math.max(place.parentElement.clientWidth, spec.least);
    place.style.zoom = shrink;
    place.style.minHeight = `${height}px`;
    figure.layout.width = width;
    figure.layout.autosize = false;
    const drawing = place.querySelector(".drawing");
    return Plotly.react(drawing, figure.data, figure.layout, {
      displaylogo: false,
      modeBarButtons: [["toImage"]],
      toImageButtonOptions: { format: "svg", filename: spec.name },
    }).then(() => {
      // Its label says what it shows; the letters of ticks, one by one, do not.
      for (const svg of drawing.querySelectorAll(".main-svg")) svg.setAttribute("aria-hidden", "true");
    });
  };

  const all = (printed) => Promise.all(specs.map((spec, number) => draw(number, printed)));
  let printing = false;
  (async () => {
    for (const [number, place] of places.entries()) {
      specs[number] = await read(place.querySelector("script"));
      await draw(number, false);
      await new Promise((done) => setTimeout(done)); // the page can be read and scrolled meanwhile
    }
    document.documentElement.setAttribute("data-drawn", "yes");
  })();
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
