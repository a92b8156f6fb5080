import type { CalibrationFacts, Recall } from "./facts.js";
import { instant, lasting, percent } from "./figures.js";

/** The card of a bundle that a calibration made, in Markdown: what it is, what it was made from, and what was measured. */
export function cardMarkdown(facts: CalibrationFacts): string {
  const { sensor, camera, trained, bundle, span, pairs, recall, answers, verdict, looks, best, seconds, seed } = facts;
  const data = span ? `${instant(span.from)} to ${instant(span.to)}` : "pairs without times";
  const line = (name: string, of: Pick<Recall, "at1" | "at5">): string =>
    `| ${name} | ${percent(of.at1)} | ${percent(of.at5)} |`;
  const answered = answers.map(
    ({ concept, words, camera, sensor, both }) =>
      `| ${plain(concept)} | ${plain(words.join(", "))} | ${camera} | ${sensor} | ${both} |`,
  );
  return `# ${plain(bundle.id)}

${plain(trained)}, bound to what ${plain(camera)} saw, for the sensor ${plain(sensor)}. Laid over the bundle ${plain(bundle.base)}; the space is
unchanged: \`${plain(bundle.space)}\`.

Data: ${data}; ${pairs.train} pairs of ${pairs.scenes} distinct scenes to learn from, ${pairs.heldOut} held out by blocks of time.
Training: ${looks.at(-1)?.step ?? 0} steps in ${lasting(seconds)}, step ${best} kept, seed ${seed}.
${(pairs.left ?? []).map((left) => `\n- ${plain(left)}`).join("")}

## Measured on the held-out pairs

| | recall@1 | recall@5 |
| --- | --- | --- |
${[
  ...(recall.before ? [line("before", recall.before)] : []),
  line(`${plain(sensor)} to ${plain(camera)}`, recall.after),
  ...(recall.back ? [line(`${plain(camera)} to ${plain(sensor)}`, recall.back)] : []),
  line("chance", recall.chance),
].join("\n")}

${verdict.installed ? "Installed" : "Not installed"}: ${plain(verdict.reason)}
${
  answered.length === 0
    ? ""
    : `
## By words, on held-out time

What the camera recognised counts as the truth; numbers are windows.

| concept | words | camera | sensor | both |
| --- | --- | --- | --- | --- |
${answered.join("\n")}
`
}`;
}

/** A text inside a line of Markdown: no marks, no cells, no tags, no new lines. */
const plain = (text: string): string => text.replace(/[\\`*_[\]<>|]/g, "\\$&").replace(/\s+/g, " ");
