import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import * as z from "zod";
import { SenseError } from "../../../core/errors.js";

const pair = z.union([
  z.number(),
  z.object({ shortest_edge: z.number() }),
  z.object({ height: z.number(), width: z.number() }),
]);

/** preprocessor_config.json of a CLIP-like image processor. */
const Preprocessor = z.looseObject({
  size: pair,
  crop_size: pair.optional(),
  do_center_crop: z.boolean().default(false),
  do_normalize: z.boolean().default(true),
  /** Pillow's filters: 2 bilinear, 3 bicubic. */
  resample: z.int().default(3),
  rescale_factor: z.number().default(1 / 255),
  image_mean: z.array(z.number()).default([0, 0, 0]),
  image_std: z.array(z.number()).default([1, 1, 1]),
});
export type Preprocessor = z.infer<typeof Preprocessor>;

const Config = z.looseObject({
  model_type: z.string().optional(),
  /** Not a field of Hugging Face's: the scale and bias after training, where whoever made the folder wrote them. */
  logit_scale: z.number().optional(),
  logit_bias: z.number().optional(),
  text_config: z.looseObject({ max_position_embeddings: z.int().optional() }).optional(),
});
export type Config = z.infer<typeof Config>;

const TokenizerConfig = z.looseObject({
  model_max_length: z.number().optional(),
  pad_token: z.union([z.string(), z.looseObject({ content: z.string() })]).nullish(),
});
export type TokenizerConfig = z.infer<typeof TokenizerConfig>;

/** A folder in the layout of transformers.js: ONNX towers, and the JSON files that say how their inputs are made. */
export interface TransformersFolder {
  readonly dir: string;
  /** Paths of the towers' graphs within the folder. */
  readonly vision: string | undefined;
  readonly text: string | undefined;
  /** A graph of both towers, which has the logit scale. */
  readonly whole: string | undefined;
  readonly config: Config;
  readonly preprocessor: Preprocessor | undefined;
  readonly tokenizerConfig: TokenizerConfig;
  readonly tokenizer: string | undefined;
  /** The text of README.md, whose first lines name the licence. */
  readonly readme: string;
}

async function json<T>(dir: string, file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const path = join(dir, file);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SenseError("BAD_MODEL", `${path} does not have the form it should have`, {
      hint: "it is the file of the Hugging Face repository of the model",
      cause,
    });
  }
}

/** Throws `BAD_MODEL` where the folder has neither a vision nor a text tower, or files that cannot be read. */
export async function readFolder(dir: string): Promise<TransformersFolder> {
  const inner = (await readdir(join(dir, "onnx")).catch(() => [])).map((file) => `onnx/${file}`);
  const files = [...(await readdir(dir)), ...inner];
  const find = (name: string): string | undefined => files.find((file) => basename(file) === name);
  const [vision, text] = [find("vision_model.onnx"), find("text_model.onnx")];
  if (vision === undefined && text === undefined) {
    throw new SenseError("BAD_MODEL", `${dir} has neither vision_model.onnx nor text_model.onnx`, {
      hint: "give a folder in the layout of transformers.js, or an ImageBind checkpoint file",
    });
  }
  return {
    dir,
    vision,
    text,
    whole: find("model.onnx"),
    config: (await json(dir, "config.json", Config)) ?? Config.parse({}),
    preprocessor: await json(dir, "preprocessor_config.json", Preprocessor),
    tokenizerConfig: (await json(dir, "tokenizer_config.json", TokenizerConfig)) ?? {},
    tokenizer: find("tokenizer.json"),
    readme: await readFile(join(dir, "README.md"), "utf8").catch(() => ""),
  };
}
