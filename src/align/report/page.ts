import { chart } from "./chart.js";
import type { Answer, CalibrationFacts, WorstPair } from "./facts.js";
import { instant, lasting, percent } from "./figures.js";
import { heatMap } from "./heat-map.js";
import { type Html, html } from "./html.js";
import { style } from "./style.js";

/** The report of a calibration as one HTML page that needs nothing else: no network, no script. All texts are escaped. */
export function reportHtml(facts: CalibrationFacts): string {
  const { sensor, camera, trained, verdict } = facts;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${sensor} bound to ${camera}</title><style>${styleSheet}</style></head><body><main>
<h1>${sensor} bound to ${camera}</h1><p class="soft">${trained}</p>
<section class="verdict ${verdict.installed ? "yes" : "no"}"><strong>${verdict.installed ? "Installed" : "Not installed"}</strong>: ${verdict.reason}</section>
${tiles(facts)}
<section><h2>Learning</h2>${curves(facts)}</section>
<section><h2>What the sensor now answers</h2>${answers(facts.answers)}</section>
<section><h2>Similarity on held-out time</h2>${similarity(facts)}</section>
<section><h2>Worst pairs</h2>${worst(facts.worst)}</section>
<section><h2>Made from</h2>${origin(facts)}</section>
</main></body></html>
`.text;
}

const styleSheet = { text: style } as Html;

function tiles({ recall, pairs, span }: CalibrationFacts): Html {
  const { before, after, chance } = recall;
  const was = (at: "at1" | "at5"): string =>
    `${before ? `${percent(before[at])} before` : "no encoder before"}, chance ${percent(chance[at])}`;
  const tile = (figure: string, name: string, note: string): Html =>
    html`<div><span>${name}</span><b>${figure}</b><span>${note}</span></div>`;
  return html`<section class="tiles">
${tile(percent(after.at1), "held-out recall@1", was("at1"))}${tile(percent(after.at5), "held-out recall@5", was("at5"))}
${tile(`${pairs.train} + ${pairs.heldOut}`, "pairs", "to learn from + held out")}${tile(String(pairs.scenes), "distinct scenes", span ? `in ${lasting((span.to - span.from) / 1e6)}` : "without times")}</section>`;
}

function curves({ looks, best }: CalibrationFacts): Html {
  if (looks.length === 0) return html`<p class="soft">Nothing was trained.</p>`;
  const held = looks.filter(({ heldOutLoss }) => heldOutLoss !== undefined);
  const loss = [
    { name: "loss", tone: "one" as const, points: looks.map(({ step, loss }) => [step, loss] as const) },
    { name: "held-out loss", tone: "two" as const, points: held.map((e) => [e.step, e.heldOutLoss!] as const) },
  ].filter(({ points }) => points.length > 0);
  const recall = [
    { name: "recall@1", tone: "one" as const, points: looks.map(({ step, recall }) => [step, recall.at1] as const) },
    { name: "recall@5", tone: "two" as const, points: looks.map(({ step, recall }) => [step, recall.at5] as const) },
  ];
  return html`<div class="pair">${chart({ title: "Loss", lines: loss, unit: (value) => String(Number(value.toFixed(2))), mark: best })}${chart({ title: "Held-out recall", lines: recall, top: 1, unit: percent, mark: best })}</div>`;
}

function answers(list: readonly Answer[]): Html {
  if (list.length === 0) return html`<p class="soft">No words are configured for this sensor.</p>`;
  const share = (part: number, of: number): string => (of === 0 ? "–" : percent(part / of));
  const cosine = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(2));
  return html`<p class="soft">Windows of held-out time; what the camera recognised counts as the truth.</p>
<table><tr><th>concept</th><th class="left">words</th><th>camera saw it</th><th>sensor told it</th><th>found</th><th>right</th><th>cosine with / without it</th></tr>
${list.map(
  ({
    concept,
    words,
    camera,
    sensor,
    both,
    cosineWith,
    cosineWithout,
  }) => html`<tr><td>${concept}</td><td class="left">${words.join(", ")}</td><td>${camera}</td><td>${sensor}</td><td>${share(both, camera)}</td><td>${share(both, sensor)}</td><td>${cosine(cosineWith)} / ${cosine(cosineWithout)}</td></tr>
`,
)}</table>`;
}

function similarity({ similarity: rows, recall }: CalibrationFacts): Html {
  if (rows.length === 0) return html`<p class="soft">Nothing was held out.</p>`;
  const line = (way: string, { at1, at5, medianRank, n }: NonNullable<typeof recall.before>): Html =>
    html`<tr><td>${way}</td><td>${percent(at1)}</td><td>${percent(at5)}</td><td>${medianRank ?? ""}</td><td>${n}</td></tr>`;
  return html`<div class="pair">${heatMap(rows)}<div><table><tr><th></th><th>recall@1</th><th>recall@5</th><th>median rank</th><th>of</th></tr>
${recall.before ? line("before", recall.before) : ""}${line("sensor to camera", recall.after)}${recall.back ? line("camera to sensor", recall.back) : ""}
<tr><td>chance</td><td>${percent(recall.chance.at1)}</td><td>${percent(recall.chance.at5)}</td><td></td><td></td></tr></table></div></div>`;
}

function worst(list: readonly WorstPair[]): Html {
  if (list.length === 0) return html`<p class="soft">None is listed.</p>`;
  return html`<table><tr><th>time</th><th>rank of its own frame</th><th>cosine</th><th class="left">camera said</th><th class="left">sensor says</th></tr>
${list.map(
  ({
    time,
    rank,
    cosine,
    camera,
    sensor,
  }) => html`<tr><td>${instant(time)}</td><td>${rank}</td><td>${cosine.toFixed(2)}</td><td class="left">${camera ?? "nothing"}</td><td class="left">${sensor ?? "nothing"}</td></tr>
`,
)}</table>`;
}

function origin({ bundle, span, pairs, seconds, seed, looks, best }: CalibrationFacts): Html {
  const rows: readonly (readonly [string, string])[] = [
    ["bundle", `${bundle.id}, over ${bundle.base}`],
    ["space", bundle.space],
    ["data", span ? `${instant(span.from)} to ${instant(span.to)}` : "pairs without times"],
    ["training", `${looks.at(-1)?.step ?? 0} steps in ${lasting(seconds)}, step ${best} kept, seed ${seed}`],
  ];
  const left = pairs.left ?? [];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>${left.length > 0 ? html`<ul>${left.map((line) => html`<li>${line}</li>`)}</ul>` : ""}`;
}
