import { readFile } from "node:fs/promises";
import * as z from "zod";
import { SenseError } from "../../../core/errors.js";

const count = z.int().positive();

/** Arguments of the original constructor that tensor shapes cannot tell; others are allowed and ignored. */
const Arguments = z.looseObject({
  vision_num_heads: count.default(16),
  text_num_heads: count.default(16),
  audio_num_heads: count.default(12),
  depth_num_heads: count.default(8),
  thermal_num_heads: count.default(12),
  imu_num_heads: count.default(8),
  vision_num_blocks: count.optional(),
  text_num_blocks: count.optional(),
  audio_num_blocks: count.optional(),
  depth_num_blocks: count.optional(),
  thermal_num_blocks: count.optional(),
  imu_num_blocks: count.optional(),
  audio_num_mel_bins: count.default(128),
  audio_target_len: count.default(204),
  audio_stride: count.default(10),
});

/** `--config`: the constructor's arguments under `config`, and the sizes that it fixes itself under `fixed`. */
const ConfigFile = z.looseObject({
  config: z.record(z.string(), z.unknown()),
  fixed: z
    .looseObject({ audio_stride: count.optional(), mel: count.optional(), target_len: count.optional() })
    .optional(),
});

export type ImageBindConfig = Readonly<z.infer<typeof Arguments>>;

/** Heads and sizes of `imagebind_huge` (PARITY B): what is used for a checkpoint of its widths without `--config`. */
export const hugeConfig: ImageBindConfig = Arguments.parse({
  vision_num_blocks: 32,
  text_num_blocks: 24,
  audio_num_blocks: 12,
  depth_num_blocks: 12,
  thermal_num_blocks: 12,
  imu_num_blocks: 6,
});

/** Widths of `imagebind_huge`: the number of heads is known for these only. */
export const hugeWidths = { vision: 1280, text: 1024, audio: 768, depth: 384, thermal: 768, imu: 512 } as const;

/** Reads `--config`. Throws `FILE_UNREADABLE` or `BAD_CONFIG`. */
export async function readConfig(path: string): Promise<ImageBindConfig> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  });
  const wrong = (why: string, cause?: unknown): never => {
    throw new SenseError("BAD_CONFIG", `${path}: ${why}`, {
      hint: 'it holds {"config": {"vision_num_heads": 16, ...}}, the arguments of ImageBindModel',
      cause,
    });
  };
  const parse = (): unknown => {
    try {
      return JSON.parse(text);
    } catch (cause) {
      return wrong("not JSON", cause);
    }
  };
  const file = ConfigFile.safeParse(parse());
  if (!file.success) return wrong(z.prettifyError(file.error));
  const { fixed, config } = file.data;
  const sizes = {
    audio_stride: fixed?.audio_stride,
    audio_num_mel_bins: fixed?.mel,
    audio_target_len: fixed?.target_len,
  };
  const known = Object.fromEntries(Object.entries({ ...sizes, ...config }).filter(([, value]) => value !== undefined));
  const args = Arguments.safeParse(known);
  return args.success ? args.data : wrong(z.prettifyError(args.error));
}
