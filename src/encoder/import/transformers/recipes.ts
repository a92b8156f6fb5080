import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { SenseError } from "../../../core/errors.js";
import { TextRecipe, VisionRecipe } from "../../../core/recipe.js";
import type { Graph } from "../../../onnx/graph.js";
import type { Preprocessor, TransformersFolder } from "./files.js";

const bad = (why: string, hint: string): SenseError => new SenseError("BAD_MODEL", why, { hint });

function sideOf(size: Preprocessor["size"], dir: string): number {
  if (typeof size === "number") return size;
  if ("shortest_edge" in size) return size.shortest_edge;
  if (size.height === size.width) return size.height;
  throw bad(`${dir}: pictures of ${size.width} x ${size.height}`, "only square pictures are supported");
}

/** The recipe that preprocessor_config.json stands for. Throws `BAD_MODEL` for what it cannot say. */
export function visionRecipe({ dir, preprocessor }: TransformersFolder, graph: Graph): VisionRecipe {
  const [input] = graph.inputs;
  if (preprocessor === undefined || input === undefined) {
    throw bad(`${dir} has a vision tower but no preprocessor_config.json`, "take it from the model's repository");
  }
  const { size, crop_size, do_center_crop, do_normalize, resample, image_mean, image_std } = preprocessor;
  if (resample !== 2 && resample !== 3)
    throw bad(`${dir}: resample ${resample}`, "only bilinear (2) and bicubic (3) are known");
  if (Math.abs(preprocessor.rescale_factor * 255 - 1) > 1e-6) {
    throw bad(`${dir}: rescale_factor ${preprocessor.rescale_factor}`, "only 1/255 is known");
  }
  const resized = sideOf(size, dir);
  const side = do_center_crop && crop_size !== undefined ? sideOf(crop_size, dir) : resized;
  const isStretched = typeof size === "object" && "height" in size;
  return VisionRecipe.parse({
    kind: "vision",
    input: input.name,
    size: side,
    fit: isStretched ? "stretch" : "shortest",
    filter: resample === 2 ? "bilinear" : "bicubic",
    ...(resized === side ? {} : { resizeTo: resized }),
    mean: do_normalize ? image_mean : [0, 0, 0],
    std: do_normalize ? image_std : [1, 1, 1],
  });
}

/** tokenizer.json, as far as the padding id needs it. */
const TokenizerFile = z.looseObject({
  padding: z.looseObject({ pad_id: z.int().optional(), strategy: z.unknown().optional() }).nullish(),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
  model: z.looseObject({
    vocab: z.union([z.record(z.string(), z.int()), z.array(z.tuple([z.string(), z.number()]))]).optional(),
  }),
});

async function padId({ dir, tokenizer, tokenizerConfig }: TransformersFolder): Promise<number> {
  const parsed = TokenizerFile.safeParse(JSON.parse(await readFile(join(dir, tokenizer!), "utf8")));
  if (!parsed.success) throw bad(`${dir}/${tokenizer} is no tokenizer`, "take it from the model's repository");
  const { padding, added_tokens, model } = parsed.data;
  if (padding?.pad_id !== undefined) return padding.pad_id;
  const { pad_token } = tokenizerConfig;
  const token = typeof pad_token === "string" ? pad_token : pad_token?.content;
  if (token === undefined) return 0;
  const added = added_tokens.find(({ content }) => content === token)?.id;
  const listed = Array.isArray(model.vocab)
    ? model.vocab.findIndex(([piece]) => piece === token)
    : model.vocab?.[token];
  return added ?? (listed !== undefined && listed >= 0 ? listed : 0);
}

/** The recipe of the text tower. SigLIP was trained on texts padded to their full length; others have a mask or a last token. */
export async function textRecipe(folder: TransformersFolder, graph: Graph): Promise<TextRecipe> {
  const { dir, tokenizer, tokenizerConfig, config } = folder;
  if (tokenizer === undefined)
    throw bad(`${dir} has a text tower but no tokenizer.json`, "take it from the model's repository");
  const inputs = graph.inputs.map(({ name }) => name);
  const longest = tokenizerConfig.model_max_length;
  const declared = graph.inputs[0]?.shape?.[1];
  const length = config.text_config?.max_position_embeddings ?? (longest !== undefined && longest < 1e6 ? longest : 77);
  return TextRecipe.parse({
    kind: "text",
    tokenizer: "tokenizer.json",
    file: "tokenizer.json",
    length: typeof declared === "number" ? declared : length,
    padTo: typeof declared === "number" || config.model_type?.startsWith("siglip") ? "fixed" : "longest",
    pad: await padId(folder),
    ids: inputs.find((name) => name === "input_ids") ?? inputs[0],
    ...(inputs.includes("attention_mask") ? { mask: "attention_mask" } : {}),
    ...(inputs.includes("token_type_ids") ? { types: "token_type_ids" } : {}),
  });
}
