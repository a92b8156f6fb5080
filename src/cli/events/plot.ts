import type { Point } from "./curve.js";

/** One concept's curve, and the point at which its configuration works. */
export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
  readonly mark: { readonly recall: number; readonly falseAlarmsPerHour: number };
}

const size = { width: 760, height: 440 };
const frame = { left: 62, top: 44, right: 560, bottom: 380 };
/** Of Okabe and Ito, told apart by colour-blind eyes too. */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

/** Recall over false alarms an hour as SVG. The scale is logarithmic from one alarm in the whole recording on, and begins at none. */
export function plot(
  lines: readonly Line[],
  { title, hours }: { readonly title: string; readonly hours: number },
): string {
  const all = lines
    .flatMap(({ points, mark }) => [...points, mark])
    .map(({ falseAlarmsPerHour }) => falseAlarmsPerHour);
  const most = Math.max(1 / hours, ...all);
  const place = (rate: number): number => Math.log2(1 + rate * hours) / Math.log2(1 + most * hours);
  const x = (rate: number): string => (frame.left + (frame.right - frame.left) * place(rate)).toFixed(1);
  const y = (recall: number): string => (frame.bottom - (frame.bottom - frame.top) * recall).toFixed(1);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${size.width}" height="${size.height}" fill="#fff"/>`,
    text(frame.left, 24, title, `font-size="15"`),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((recall) => [
      `<path d="M${frame.left} ${y(recall)}H${frame.right}" stroke="#ddd"/>`,
      text(frame.left - 8, Number(y(recall)) + 4, `${100 * recall} %`, `text-anchor="end"`),
    ]),
    ...ticks(most, place).flatMap((rate) => [
      `<path d="M${x(rate)} ${frame.top}V${frame.bottom}" stroke="#eee"/>`,
      text(Number(x(rate)), frame.bottom + 18, String(rate), `text-anchor="middle"`),
    ]),
    text((frame.left + frame.right) / 2, frame.bottom + 40, "false alarms an hour", `text-anchor="middle"`),
    `<text transform="translate(16 ${(frame.top + frame.bottom) / 2}) rotate(-90)" text-anchor="middle">events found</text>`,
    `<path d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}" fill="none" stroke="#333"/>`,
  ];
  const marks: string[] = [];
  for (const [i, { name, points, mark }] of lines.entries()) {
    const colour = colours[i % colours.length]!;
    const path = points.map(({ falseAlarmsPerHour, recall }) => `${x(falseAlarmsPerHour)} ${y(recall)}`).join("L");
    const at = frame.top + 10 + 20 * i;
    marks.push(
      `<circle cx="${x(mark.falseAlarmsPerHour)}" cy="${y(mark.recall)}" r="5" fill="${colour}" stroke="#fff" stroke-width="1.5"/>`,
    );
    parts.push(
      `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      `<path d="M${frame.right + 16} ${at}h20" stroke="${colour}" stroke-width="2"/>`,
      text(frame.right + 42, at + 4, name, ""),
    );
  }
  parts.push(...marks);
  const below = frame.top + 30 + 20 * lines.length;
  parts.push(
    `<circle cx="${frame.right + 26}" cy="${below}" r="5" fill="#888"/>`,
    text(frame.right + 42, below + 4, "as configured", ""),
    "</svg>",
  );
  return `${parts.join("\n")}\n`;
}

/** 0, and 1, 2 or 5 times a power of ten, as many as have room. */
function ticks(most: number, place: (rate: number) => number): readonly number[] {
  const kept = [0];
  for (let power = -3; power <= 6; power++) {
    for (const digit of [1, 2, 5]) {
      const rate = Number((digit * 10 ** power).toPrecision(1));
      if (rate <= most && place(rate) - place(kept.at(-1)!) > 0.07) kept.push(rate);
    }
  }
  return kept;
}

const escaped = (value: string): string => value.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const text = (x: number, y: number, value: string, more: string): string =>
  `<text x="${x}" y="${y}" fill="#333" ${more}>${escaped(value)}</text>`;
