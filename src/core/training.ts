import * as z from "zod";
import { Modality } from "./modality.js";

/** A whole number between bounds, and a message that says the value and both. */
function whole(least: number, most: number): z.ZodInt {
  const error = ({ input }: { readonly input?: unknown }): string =>
    `${JSON.stringify(input)} is no whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** ImageBind's blocks, small by default. The bounds are those of what one board can hold while it learns. */
const blocks = {
  width: whole(1, 2048).default(64),
  depth: whole(1, 48).default(2),
  heads: whole(1, 64).default(4),
  /** A learned key and value behind the others, as in ImageBind's blocks. */
  biasKv: z.boolean().default(false),
};

const length = whole(1, 65_536);

const lengths =
  (form: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    `${JSON.stringify(input)} is not of the form ${form}`;

/** Attention gives each head the same share of the width. */
const sharesWidth: z.core.CheckFn<{ readonly width: number; readonly heads: number }> = ({ value, issues }) => {
  const { width, heads } = value;
  if (width % heads === 0) return;
  const low = Math.max(heads, width - (width % heads));
  const message = `${width} cannot be shared by ${heads} heads; take ${low} or ${low + heads}, or other heads`;
  issues.push({ code: "custom", path: ["width"], input: width, message });
};

const SeriesEncoder = z
  .strictObject({
    kind: z.literal("series"),
    ...blocks,
    /** Samples in one token; as many as give 32 tokens unless given. */
    patch: length.optional(),
  })
  .check(sharesWidth);

const PatchesEncoder = z
  .strictObject({
    kind: z.literal("patches"),
    ...blocks,
    /** Rows and columns of one token; about 8 by 8 tokens, or 12 along a spectrogram's time, unless given. */
    patch: z.tuple([length, length], { error: lengths("[rows, columns]") }).optional(),
  })
  .check(sharesWidth);

const VideoEncoder = z
  .strictObject({
    kind: z.literal("video"),
    ...blocks,
    /** Frames, rows and columns of one token; two frames of about 16 by 16 tokens unless given. */
    patch: z.tuple([length, length, length], { error: lengths("[frames, rows, columns]") }).optional(),
  })
  .check(sharesWidth);

const ConvolutionEncoder = z
  .strictObject({
    kind: z.literal("convolution"),
    /** Channels of each stage; every stage halves height and width. */
    stages: z.array(whole(1, 2048)).min(1).max(8).default([32, 64, 128]),
    /** Groups of channels that are normalised together; the most that divide every stage, up to 8, unless given. */
    groups: length.optional(),
  })
  .check(({ value: { stages, groups = 1 }, issues }) => {
    const odd = stages.find((channels) => channels % groups !== 0);
    if (odd === undefined) return;
    const message = `${groups} groups cannot share a stage of ${odd} channels; take groups that divide ${stages.join(", ")}`;
    issues.push({ code: "custom", path: ["groups"], input: groups, message });
  });

const EdgesEncoder = z.strictObject({
  kind: z.literal("edges"),
  /** Cells along each side, at each scale. */
  cells: z.array(whole(1, 64)).min(1).max(6).default([14, 7, 4]),
});

const kinds = [SeriesEncoder, PatchesEncoder, VideoEncoder, ConvolutionEncoder, EdgesEncoder] as const;

/** An encoder that is made from nothing. */
export const EncoderDesign = z.discriminatedUnion("kind", kinds, {
  error: ({ code }) =>
    code === "invalid_union" ? "kind is one of series, patches, video, convolution and edges" : undefined,
});
export type EncoderDesign = Readonly<z.infer<typeof EncoderDesign>>;

/** Low-rank updates inside the encoder that a bundle has (Hu et al., arXiv 2106.09685). */
export const LoraDesign = z.strictObject({
  rank: whole(1, 256).default(8),
  /** The update counts alpha / rank times; twice the rank unless given. */
  alpha: z.number().positive().optional(),
  /** Which matrices; those of attention and MLPs where their names tell which they are, else all, unless given. */
  matrices: z
    .union([z.literal("all"), z.array(z.enum(["attention", "mlp"])).min(1)], {
      error: 'give "all", or a list of "attention" and "mlp"',
    })
    .optional(),
});
export type LoraDesign = Readonly<z.infer<typeof LoraDesign>>;

/**
 * How one modality's encoder is learned. `head` alone: on the frozen encoder; `lora`: inside it; `encoder`: a new one in its place,
 * or, with `lora`, beside it; `camera`: the camera's own encoder, frozen, looks at the sensor's maps, and its vectors are moved to
 * where the camera's lie, or, with `head`, a head is put on it. What is given learns together.
 */
export const Training = z
  .strictObject({
    head: z
      .strictObject({
        /** Neurons between; half the embedding's length unless given. */
        hidden: whole(1, 8192).optional(),
      })
      .optional(),
    lora: LoraDesign.optional(),
    encoder: EncoderDesign.optional(),
    camera: z.strictObject({}).optional(),
    lr: z.number().positive().max(1).optional(),
    /** Decoupled weight decay of the matrices. */
    decay: z.number().min(0).max(10).optional(),
    steps: whole(1, 1_000_000).optional(),
    batch: whole(2, 4096).optional(),
    /** Past camera embeddings that go with each batch as negatives. */
    queue: whole(0, 65_536).optional(),
    loss: z.enum(["infonce", "sigmoid"]).optional(),
    /** How strongly a window is drawn to its own anchor, beside the contrast. */
    pull: z.number().min(0).optional(),
    /** Anchors with a greater cosine count as one scene. */
    same: z.number().min(-1).max(2).optional(),
  })
  .refine(({ head, lora, encoder, camera }) => [head, lora, encoder, camera].some((part) => part !== undefined), {
    error: "nothing is to be trained: give head, lora, encoder, camera, or several of them",
  })
  .refine(({ lora, encoder, camera }) => camera === undefined || (lora === undefined && encoder === undefined), {
    error: "the camera's encoder stays as it is: camera goes with head only, or alone",
  });
export type Training = Readonly<z.infer<typeof Training>>;
/** As it is written, with defaults left out. */
export type TrainingInput = Readonly<z.input<typeof Training>>;

/** `training` in a bundle's manifest, and a file of `calibrate --training`: one for each modality. */
export const Trainings = z.partialRecord(Modality, Training);
export type Trainings = Readonly<z.infer<typeof Trainings>>;
