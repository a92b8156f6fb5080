import sharp, { type Sharp } from "sharp";
import { SenseError } from "../../core/errors.js";
import { type DecodeOptions, readBytes } from "./bytes.js";

/** A decoded picture, row-major and interleaved: `height x width x channels`. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Bits of a value: 16 only for a grey picture of 16 bits (depth, raw thermal), whose values are kept. */
  readonly depth: 8 | 16;
  readonly data: Uint8Array | Uint16Array;
}

// A process that decodes for months must not keep the pictures it saw.
sharp.cache(false);

export interface ImageOptions extends DecodeOptions {
  /**
   * For live cameras: a JPEG whose shorter side is three times this or more is shrunk to it while it is decoded, which halves the
   * work of a 4K picture. The picture is then no longer Pillow's: docs/preprocessing.md says how far embeddings move.
   */
  readonly atLeast?: number | undefined;
}

/**
 * Decodes JPEG, PNG and WebP to what Pillow's `convert` gives for the picture's own mode: alpha is dropped and not composited,
 * palettes are looked up, neither the EXIF orientation nor the ICC profile is applied (PARITY A1). Grey stays one channel.
 * Throws `BAD_IMAGE`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { source = "the image", atLeast }: ImageOptions = {},
): Promise<Picture> {
  try {
    const input = sharp(bytes, { failOn: "error", ignoreIcc: true });
    const { channels = 3, depth, space, format, width, height } = await input.metadata();
    if (space === "cmyk") return await fromCmyk(input);
    // 16-bit grey with alpha beside it Pillow reads as colours of 8 bits.
    const grey = channels === 1 || (channels === 2 && depth !== "ushort");
    const wide = grey && depth === "ushort";
    if (atLeast !== undefined && format === "jpeg") shrink(input, { width, height, atLeast });
    const { data, info } = await input
      .removeAlpha()
      .toColourspace(wide ? "grey16" : grey ? "b-w" : "srgb")
      .raw({ depth: wide ? "ushort" : "uchar" })
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      channels: grey ? 1 : 3,
      depth: wide ? 16 : 8,
      data: wide ? wordsOf(data) : data,
    };
  } catch (cause) {
    throw new SenseError("BAD_IMAGE", `${source} could not be decoded: ${firstLine(cause)}`, {
      hint: "Use a JPEG, PNG or WebP file that an image viewer opens.",
      cause,
    });
  }
}

interface Shrink {
  readonly width: number;
  readonly height: number;
  readonly atLeast: number;
}

/** From three times on libvips has libjpeg shrink by 2 inside its inverse transform; below that, resizing costs more than it saves. */
function shrink(input: Sharp, { width, height, atLeast }: Shrink): void {
  const by = Math.min(width, height) / atLeast;
  if (by >= 3) input.resize(Math.round(width / by), Math.round(height / by), { fit: "fill", kernel: "lanczos3" });
}

/** Inks to colours as Pillow does it, without a profile: white without key, less each ink's share of that. */
async function fromCmyk(input: Sharp): Promise<Picture> {
  const { data: inks, info } = await input
    .pipelineColourspace("cmyk")
    .toColourspace("cmyk")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  const data = new Uint8Array(info.width * info.height * 3);
  for (let i = 0, o = 0; o < data.length; i += 4, o += 3) {
    const white = 255 - inks[i + 3]!;
    for (let c = 0; c < 3; c++) data[o + c] = Math.max(0, white - times255(inks[i + c]!, white));
  }
  return { width: info.width, height: info.height, channels: 3, depth: 8, data };
}

/** a * b / 255, rounded (Pillow's MULDIV255). */
function times255(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/** The picture in a file. Throws `BAD_IMAGE`, `FILE_UNREADABLE`. */
export async function readImage(path: string): Promise<Picture> {
  return decodeImage(await readBytes(path), { source: path });
}

/** The picture as 8-bit RGB, as Pillow's `convert("RGB")`: grey is repeated, 16-bit grey is clipped to 255, not scaled. */
export function toRgb({ channels, depth, data }: Picture): Uint8Array {
  if (channels === 3 && depth === 8) return data as Uint8Array;
  const rgb = new Uint8Array(data.length * 3);
  for (let i = 0, o = 0; i < data.length; i++, o += 3) rgb.fill(Math.min(data[i]!, 255), o, o + 3);
  return rgb;
}

/** Encodes 8-bit pictures as JPEG, 16-bit ones as PNG: what a recording stores of a raw frame. */
export async function encodeImage(picture: Picture, { quality = 90 }: { quality?: number } = {}): Promise<Uint8Array> {
  const { width, height, channels, depth, data } = picture;
  const image = sharp(data as Uint8Array, { raw: { width, height, channels } });
  return depth === 16 ? image.toColourspace("grey16").png().toBuffer() : image.jpeg({ quality }).toBuffer();
}

/** The same bytes as 16-bit words; copied, because a pooled buffer may start at an odd address. */
function wordsOf(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(new Uint8Array(bytes).buffer);
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n")[0]!;
}
