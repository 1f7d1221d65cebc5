// Draws figures one after the other and leaves each as the text of an SVG.
"use strict";
(async () => {
  for (const [number, figure] of figures.entries()) {
    const { width, height } = figure.layout;
    const address = await Plotly.toImage(figure, { format: "svg", width, height });
    const text = document.createElement("pre");
    text.id = `f${number}`;
    text.textContent = decodeURIComponent(address.slice(address.indexOf(",") + 1));
    document.body.append(text);
  }
  for (const script of document.querySelectorAll("script")) script.remove();
})();
