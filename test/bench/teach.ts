/*
 * How well a concept taught by a few examples does, and whether its expected precision holds: each label of a list in turn, with half of
 * the other labels' files as background and the other half to try it on.
 *   npx sensebind embed audio <files>… --json > vectors.jsonl; npx tsx test/bench/teach.ts --vectors vectors.jsonl --list list.csv
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "csv-parse/sync";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { seeded, shuffle } from "../../src/core/random.js";
import { type Method, teach } from "../../src/space/teach.js";

const { values } = parseArgs({ options: { vectors: { type: "string" }, list: { type: "string" } } });
if (values.vectors === undefined || values.list === undefined) throw new Error("give --vectors and --list");

const lines = readFileSync(values.vectors, "utf8").trim().split("\n");
const vectors = new Map<string, UnitVector>(
  lines.map((line) => {
    const { source, vector } = JSON.parse(line) as { source: string; vector: number[] };
    return [resolve(source), normalize(vector)];
  }),
);
const list: { file: string; label: string }[] = parse(readFileSync(values.list, "utf8"), { columns: true });
const folder = dirname(values.list);
const items = list.map(({ file, label }) => ({ label, vector: vectors.get(resolve(folder, file))! }));
const labels = [...new Set(items.map(({ label }) => label))];
const draws = 5;

for (const method of ["prototype", "linear"] satisfies Method[]) {
  for (const shots of [1, 2, 5]) {
    const found = { expected: 0, precision: 0, recall: 0, n: 0 };
    for (const label of labels) {
      const random = seeded(shots * 100 + labels.indexOf(label));
      for (let draw = 0; draw < draws; draw++) {
        const mixed = shuffle(items, random);
        const own = mixed.filter((item) => item.label === label).map(({ vector }) => vector);
        const others = mixed.filter((item) => item.label !== label).map(({ vector }) => vector);
        const half = others.length >> 1;
        const share = 0.1;
        const lesson = teach(own.slice(0, shots), { method, background: others.slice(0, half), share });
        const rate = (some: readonly UnitVector[]) =>
          some.filter((one) => cosine(one, lesson.vector) >= lesson.threshold!).length / some.length;
        const [right, wrong] = [rate(own.slice(shots)), rate(others.slice(half))];
        if (right + wrong === 0) continue;
        found.expected += lesson.expected!.precision;
        found.precision += (share * right) / (share * right + (1 - share) * wrong);
        found.recall += right;
        found.n += 1;
      }
    }
    const mean = (sum: number): string => `${((100 * sum) / found.n).toFixed(0)} %`;
    console.log(
      `${method}, ${shots} examples: expected precision ${mean(found.expected)}, found ${mean(found.precision)}, recall ${mean(found.recall)}`,
    );
  }
}
