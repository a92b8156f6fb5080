/** Words as vectors of the sensors' space: which of these is nearest to a query, and what arithmetic does to it. */
import { fileURLToPath } from "node:url";
import { combine, cosine, openBundle, workerRuntime } from "sensebind";

const words = ["a dog", "a wolf", "a cat", "a kitten", "a car", "a bicycle"];

await using runtime = await workerRuntime();
await using bundle = await openBundle(fileURLToPath(new URL("../models/nano", import.meta.url)), runtime);
const known = await bundle.encodeText(words);
const [young, old, cat] = await bundle.encodeText(["young animal", "adult animal", "a cat"]);
const query = combine([
  { vector: cat!.vector, weight: 1 },
  { vector: young!.vector, weight: 0.5 },
  { vector: old!.vector, weight: -0.5 },
]);

const ranked = known
  .map(({ text, vector }) => ({ text, score: cosine(vector, query) }))
  .sort((a, b) => b.score - a.score);
for (const { text, score } of ranked) console.log(score.toFixed(2), text);
