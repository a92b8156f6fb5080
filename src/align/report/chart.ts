import { type Html, html } from "./html.js";

export interface Line {
  readonly name: string;
  /** One of the classes `one`, `two` of the style sheet. */
  readonly tone: "one" | "two";
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** The top of a scale that begins at 0; the scale spans 0 and every value unless given. */
  readonly top?: number;
  readonly unit: (value: number) => string;
  /** The x whose weights were kept. */
  readonly mark: number;
}

const size = { width: 460, height: 220, left: 46, right: 12, top: 14, bottom: 28 };
const grid = 4;

/** Lines over steps as an SVG that needs no script. */
export function chart({ title, lines, top, unit, mark }: ChartOptions): Html {
  const points = lines.flatMap((line) => line.points).filter(([, y]) => Number.isFinite(y));
  const last = Math.max(1, ...points.map(([x]) => x));
  const first = Math.min(last - 1, ...points.map(([x]) => x));
  const values = points.map(([, y]) => y);
  const { low, high, step } =
    top === undefined
      ? scaleOf(Math.min(0, ...values), Math.max(0, ...values))
      : { low: 0, high: top, step: top / grid };
  const at = {
    x: (x: number): number => size.left + ((x - first) / (last - first)) * (size.width - size.left - size.right),
    y: (y: number): number =>
      size.height - size.bottom - ((y - low) / (high - low)) * (size.height - size.top - size.bottom),
  };
  const ruled = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, i) => low + i * step);
  const [left, right, floor] = [size.left, size.width - size.right, size.height - size.bottom];
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}">
${ruled.map((value) => html`<line class="grid" x1="${left}" x2="${right}" y1="${fixed(at.y(value))}" y2="${fixed(at.y(value))}"/><text class="tick" x="${left - 6}" y="${fixed(at.y(value) + 4)}" text-anchor="end">${unit(value)}</text>`)}
<line class="mark" x1="${fixed(at.x(mark))}" x2="${fixed(at.x(mark))}" y1="${size.top}" y2="${floor}"/>
${lines.map(({ points, tone }) => html`<polyline class="line ${tone}" points="${points.map(([x, y]) => `${fixed(at.x(x))},${fixed(at.y(Math.min(y, high)))}`).join(" ")}"/>`)}
<text class="tick" x="${left}" y="${size.height - 8}">step ${first}</text><text class="tick" x="${right}" y="${size.height - 8}" text-anchor="end">${last}</text>
</svg>
<p class="key">${lines.map(({ name, tone }) => html`<span class="${tone}">${name}</span>`)}<span class="kept">kept: step ${mark}</span></p></figure>`;
}

const fixed = (value: number): string => value.toFixed(1);

/** A scale around both values whose rules, about four, stand at round numbers. */
function scaleOf(lowest: number, highest: number): { low: number; high: number; step: number } {
  const least = (highest - lowest) / grid || 1 / grid;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 2.5, 5].find((nice) => nice * power >= least) ?? 10);
  return { low: Math.floor(lowest / step) * step, high: Math.max(step, Math.ceil(highest / step) * step), step };
}
