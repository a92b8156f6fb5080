import { join } from "node:path";
import { SenseError } from "../../../core/errors.js";
import { loadModel, weightBytes } from "../../../onnx/file.js";
import { arrayOf } from "../../../onnx/types.js";
import type { TransformersFolder } from "./files.js";

/** What a cosine becomes before the softmax or sigmoid: times `scale`, plus `bias`. */
export interface Comparison {
  readonly scale: number;
  readonly bias: number;
}

/** CLIP's scale is clipped at 100 and trained models reach it (Radford et al. 2021, 2.5). */
const clipScale = 100;

/**
 * Scale and bias of a folder: from config.json, else from the weights `logit_scale` (a logarithm) and `logit_bias` of
 * model.onnx, else CLIP's 100. Throws `BAD_MODEL` for a SigLIP without them, since its bias cannot be guessed.
 */
export async function comparisonOf({ dir, whole, config }: TransformersFolder): Promise<Comparison> {
  if (config.logit_scale !== undefined) return { scale: config.logit_scale, bias: config.logit_bias ?? 0 };
  if (whole !== undefined) {
    const { weights } = await loadModel(join(dir, whole));
    const read = async (pattern: RegExp): Promise<number | undefined> => {
      const value = weights.find(({ name, type }) => pattern.test(name) && type === "float32");
      if (value?.source.kind !== "weight") return undefined;
      return Number(arrayOf("float32", await weightBytes(value.source.weight))[0]);
    };
    const scale = await read(/(^|[./])logit_scale$/);
    if (scale !== undefined) return { scale: Math.exp(scale), bias: (await read(/(^|[./])logit_bias$/)) ?? 0 };
  }
  if (config.model_type?.startsWith("siglip")) {
    throw new SenseError("BAD_MODEL", `${dir} is a SigLIP, but its scale and bias are nowhere in it`, {
      hint: 'write "logit_scale" (after exp) and "logit_bias" of its checkpoint into config.json',
    });
  }
  return { scale: clipScale, bias: 0 };
}
