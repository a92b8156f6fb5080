import { type Html, html } from "./html.js";

/** More cells than this on a side are finer than the picture. */
const mostCells = 48;
const cell = 10;

/** Cosines as a square of cells, one shade for each; the diagonal, where a window meets its own frame, should be dark. */
export function heatMap(rows: readonly Float32Array[]): Html {
  const shown = spread(rows.length);
  const values = shown.map((row) => shown.map((column) => rows[row]![column]!));
  const flat = values.flat().filter(Number.isFinite);
  const [low, high] = [Math.min(...flat), Math.max(...flat)];
  const shade = (value: number): string => ((value - low) / (high - low || 1)).toFixed(2);
  const side = shown.length * cell;
  return html`<figure><figcaption>Every held-out window (down) with every held-out frame (across), in order of time</figcaption>
<svg class="map" viewBox="0 0 ${side} ${side}" role="img" aria-label="similarity matrix">
${values.flatMap((row, y) => row.map((value, x) => html`<rect x="${x * cell}" y="${y * cell}" width="${cell}" height="${cell}" fill-opacity="${shade(value)}"/>`))}
</svg>
<p class="key">cosine ${low.toFixed(2)} <span class="ramp"></span> ${high.toFixed(2)}</p></figure>`;
}

/** All of so many indices, or as many as can be seen, evenly spread. */
function spread(count: number): number[] {
  const cells = Math.min(count, mostCells);
  return Array.from({ length: cells }, (_, i) => Math.floor((i * count) / cells));
}
