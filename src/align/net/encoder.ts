import { SenseError } from "../../core/errors.js";
import type { EncoderDesign } from "../../core/training.js";
import { convolutional, type HeadOptions, patchTransformer, seriesTransformer } from "./architectures.js";
import { convolved, groupsOf } from "./convolution.js";
import type { Architecture } from "./net.js";
import { edges, oriented } from "./oriented.js";
import { type BlockOptions, patchTokens, seriesTokens, transformed } from "./transformer.js";

/** An encoder from nothing, for inputs of one shape. */
export interface MadeEncoder {
  /** The design with every length that was left out. */
  readonly design: EncoderDesign;
  /** `[n, width]` of inputs `[n, ...]`, for an embedding that is made of more. */
  readonly features: Architecture;
  /** The embedding itself, unit rows `[n, dim]`. */
  readonly whole: (head: HeadOptions) => Architecture;
  /** In words: "a transformer over 8 channels, 2 blocks 64 wide, 2 samples a token". */
  readonly text: string;
}

/** Tokens at most: attention holds a number for each pair of them, for each head and window of a batch. */
const mostTokens = 1024;

/** What inputs of a shape can be called: `[3, 2, 224, 224]` is "clips 3 x 2 x 224 x 224". */
function formOf(dims: readonly number[]): string {
  const forms = ["", "waves", "series", "maps", "clips"];
  return `${forms[dims.length] ?? "inputs"} ${dims.join(" x ")}`;
}

const unfit = (message: string, hint: string): SenseError => new SenseError("BAD_ARGUMENT", message, { hint });

/** Which lengths a design's input has, without the batch. */
const ranks = {
  series: { rank: 2, wants: "channels x samples", others: "patches, convolution or edges for maps, video for clips" },
  patches: { rank: 3, wants: "channels x height x width", others: "series for named channels, video for clips" },
  video: {
    rank: 4,
    wants: "channels x frames x height x width",
    others: "series for named channels, patches for single pictures",
  },
  convolution: { rank: 3, wants: "channels x height x width", others: "series for named channels, video for clips" },
  edges: {
    rank: 3,
    wants: "1 x height x width",
    others: "series for named channels, patches or convolution for colours",
  },
} as const;

/** An encoder of this design for inputs `dims`, given without the batch. Throws `BAD_ARGUMENT` where they do not fit. */
export function makeEncoder(design: EncoderDesign, dims: readonly number[]): MadeEncoder {
  const { rank, wants, others } = ranks[design.kind];
  if (dims.length !== rank || (design.kind === "edges" && dims[0] !== 1)) {
    throw unfit(
      `an encoder of the kind ${design.kind} takes ${wants}, and the sensor's recipe gives ${formOf(dims)}`,
      `Choose another kind: ${others}.`,
    );
  }
  switch (design.kind) {
    case "series": {
      const [channels, samples] = dims as [number, number];
      const { patch = Math.ceil(samples / 32), ...blocks } = design;
      if (patch > samples) {
        throw unfit(`a patch of ${patch} samples is longer than the ${samples} of a window`, "Choose a shorter patch.");
      }
      checkTokens(Math.floor(samples / patch), { patch: [patch], dims });
      return {
        design: { ...design, patch },
        features: (net, x) => transformed(net, seriesTokens(net, x, patch), blocks),
        whole: (head) => seriesTransformer({ ...blocks, ...head, patch }),
        text: `a transformer over ${channels} channels, ${size(blocks)}, ${patch} samples a token`,
      };
    }
    case "patches": {
      const [height, width] = dims.slice(1) as [number, number];
      const patch = design.patch ?? (height === width ? squares(height, width) : alongTime(height, width));
      return { ...ofPatches(design, patch, dims), design: { ...design, patch } };
    }
    case "video": {
      const [frames, height, width] = dims.slice(1) as [number, number, number];
      const patch = design.patch ?? tubelet(frames, height, width);
      return { ...ofPatches(design, patch, dims), design: { ...design, patch } };
    }
    case "convolution": {
      const { stages, groups = groupsOf(stages) } = design;
      const side = Math.min(dims[1]!, dims[2]!);
      if (side < 2 ** stages.length) {
        throw unfit(
          `${stages.length} stages halve ${dims[1]} x ${dims[2]} to nothing`,
          `Give ${Math.max(1, Math.floor(Math.log2(side)))} stages or fewer.`,
        );
      }
      return {
        design: { ...design, groups },
        features: (net, x) => convolved(net, x, { stages, groups }),
        whole: (head) => convolutional({ stages, groups, ...head }),
        text: `convolutions of ${stages.join(", ")} channels with group norm (${groups})`,
      };
    }
    case "edges": {
      const { cells } = design;
      const side = Math.min(dims[1]!, dims[2]!) - 2;
      const most = Math.max(...cells);
      if (most > side) {
        throw unfit(
          `${most} x ${most} cells do not fit into the edges of ${dims[1]} x ${dims[2]}`,
          `Give ${side} cells or fewer.`,
        );
      }
      return {
        design,
        features: ({ g }, x) => edges(g, x, cells),
        whole: (head) => oriented({ cells, ...head }),
        text: "a head on edge directions",
      };
    }
    default:
      return design satisfies never;
  }
}

const size = ({ depth, width }: BlockOptions): string => `${depth} block${depth === 1 ? "" : "s"} ${width} wide`;

/** Divisors of a length, in order. */
const divisors = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

/** The shortest divisor of a length that makes `count` pieces of it or fewer. */
const piece = (length: number, count: number): number => divisors(length).find((d) => d * count >= length)!;

const squares = (height: number, width: number): [number, number] => [piece(height, 8), piece(width, 8)];
/** A spectrogram's patches are short in time, for what is heard lies there. */
const alongTime = (bins: number, frames: number): [number, number] => [piece(bins, 8), piece(frames, 12)];
/** The article's patches are 2 x 14 x 14 of 224 x 224. */
const tubelet = (frames: number, height: number, width: number): [number, number, number] => [
  frames % 2 === 0 ? 2 : 1,
  piece(height, 16),
  piece(width, 16),
];

function ofPatches(
  blocks: BlockOptions,
  patch: readonly number[],
  dims: readonly number[],
): Omit<MadeEncoder, "design"> {
  const space = dims.slice(1);
  for (const [i, length] of space.entries()) {
    if (length % patch[i]! === 0) continue;
    throw unfit(
      `patches of ${patch.join(" x ")} do not divide ${space.join(" x ")}: ${length} is no multiple of ${patch[i]}`,
      `Lengths that divide ${length}: ${divisors(length).join(", ")}.`,
    );
  }
  checkTokens(
    space.reduce((count, length, i) => (count * length) / patch[i]!, 1),
    { patch, dims: space },
  );
  const { width, depth, heads, biasKv } = blocks;
  const options = { width, depth, heads, biasKv };
  return {
    features: (net, x) => transformed(net, patchTokens(net, x, patch), options),
    whole: (head) => patchTransformer({ ...options, ...head, patch }),
    text: `a transformer over patches of ${patch.join(" x ")}, ${size(options)}`,
  };
}

interface Cut {
  readonly patch: readonly number[];
  readonly dims: readonly number[];
}

function checkTokens(tokens: number, { patch, dims }: Cut): void {
  if (tokens <= mostTokens) return;
  throw unfit(
    `patches of ${patch.join(" x ")} make ${tokens} tokens of ${dims.join(" x ")}; ${mostTokens} at most can be learned from`,
    "Choose larger patches.",
  );
}
