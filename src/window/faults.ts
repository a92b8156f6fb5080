import type { Frame } from "../core/reading.js";
import type { Fault } from "../core/window.js";
import type { Cut } from "./cut.js";

/** Fullest scale of a sample that a converter gives, and share of samples at it that make a sound useless. */
const clipping = { level: 0.999, share: 0.05 } as const;

/** Brightest a picture may be, of 255, to count as dark: what noise of a covered lens reaches. */
const darkest = 10;

/** Values of a picture that are looked at: a small part tells as much. */
const looked = 4096;

/**
 * What makes a window say nothing of the world, however well it was encoded: a covered lens, a shutter, a microphone that is
 * off or overdriven, an inertial sensor that repeats one value. `frames` are the pictures of a cut, decoded.
 */
export function faultsOf(cut: Cut, frames: readonly Frame[]): readonly Fault[] {
  if (cut.kind === "block") return cut.modality === "audio" ? faultsOfSound(cut.data) : faultsOfSeries(cut);
  const found = new Set(frames.map(faultOfFrame).filter((fault) => fault !== undefined));
  // One good picture is enough.
  return frames.every((frame) => faultOfFrame(frame) !== undefined) ? [...found] : [];
}

function faultOfFrame({ modality, format, data }: Frame): Fault | undefined {
  const step = Math.max(1, Math.floor(data.length / looked));
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i += step) {
    const value = data[i]!;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  // Nothing finite in it: a depth camera that sees nothing in range.
  if (!(high >= low)) return "empty";
  if (modality === "vision" && format !== "float32" && high <= (format === "gray16" ? darkest * 257 : darkest)) {
    return "dark";
  }
  if (high > low) return undefined;
  // A radiometer that calibrates itself shows its shutter: one temperature all over.
  return modality === "thermal" ? "shutter" : modality === "vision" ? undefined : "empty";
}

function faultsOfSound(data: Float32Array): readonly Fault[] {
  let clipped = 0;
  let first = data[0] ?? 0;
  let same = true;
  for (const value of data) {
    if (Math.abs(value) >= clipping.level) clipped++;
    if (value !== first) same = false;
    first = value;
  }
  // Even a quiet room moves the last bits of a converter: one value throughout is a microphone that is off.
  if (same) return ["silent"];
  return clipped > clipping.share * data.length ? ["clipped"] : [];
}

function faultsOfSeries({ data, channels }: Extract<Cut, { kind: "block" }>): readonly Fault[] {
  const width = channels.length;
  for (let i = width; i < data.length; i++) if (data[i] !== data[i - width]) return [];
  return ["stuck"];
}
