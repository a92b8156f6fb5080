import { SenseError } from "../../core/errors.js";
import { type DecodeOptions, readBytes } from "./bytes.js";
import { readNpy } from "./npy.js";
import { decodeImage, type Picture } from "./sharp.js";

/** One plane of physical values, `height x width`. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** Depth in metres with NaN where there is no reading: a 16-bit PNG of `unit` metres a step (0: no reading) or a `.npy` in metres. */
export async function readDepth(path: string, { unit = 0.001 }: { unit?: number } = {}): Promise<Plane> {
  if (!/\.npy(\.gz)?$/.test(path)) return decodeDepth(await readBytes(path), { source: path, unit });
  const { width, height, data } = await readPlane(path);
  return {
    width,
    height,
    data: data.map((metres) => (metres > 0 && metres < Number.POSITIVE_INFINITY ? metres : NaN)),
  };
}

/** Depth from the bytes of a 16-bit PNG. Throws `BAD_IMAGE`, also for a picture of 8 bits. */
export async function decodeDepth(
  bytes: Uint8Array,
  { source = "the depth picture", unit = 0.001 }: DecodeOptions & { unit?: number } = {},
): Promise<Plane> {
  const picture = await decodeImage(bytes, { source });
  if (picture.depth !== 16) {
    throw new SenseError("BAD_IMAGE", `${source} has 8 bits a pixel, depth needs 16`, {
      hint: "Save depth as 16-bit grey PNG in millimetres, or as .npy in metres.",
    });
  }
  return metresOf(picture, unit);
}

function metresOf({ width, height, data }: Picture, unit: number): Plane {
  return { width, height, data: Float32Array.from(data, (steps) => (steps === 0 ? NaN : steps * unit)) };
}

/** A `.npy` file of shape [height, width], [1, height, width] or [height, width, 1] as float32. Throws `BAD_TENSOR`. */
export async function readPlane(path: string): Promise<Plane> {
  const { dims, data } = await readNpy(path);
  const single = dims.length === 3 && (dims[0] === 1 || dims[2] === 1);
  const [height, width] = single ? (dims[0] === 1 ? dims.slice(1) : dims) : dims;
  if ((dims.length !== 2 && !single) || data.length === 0) {
    throw new SenseError("BAD_TENSOR", `${path} has shape [${dims.join(", ")}], expected [height, width]`, {
      hint: "One file a frame.",
    });
  }
  return { width: width!, height: height!, data: Float32Array.from(data as ArrayLike<number>, Number) };
}
