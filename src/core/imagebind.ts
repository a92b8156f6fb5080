import { DepthRecipe, FbankRecipe, SeriesRecipe, TextRecipe, ThermalRecipe, VisionRecipe } from "./recipe.js";

/** CLIP's colour statistics (PARITY A1). */
const mean = [0.48145466, 0.4578275, 0.40821073];
const std = [0.26862954, 0.26130258, 0.27577711];

/**
 * How ImageBind's inputs are made. Text, vision and audio are the original code's (PARITY A1 to A5). Depth, thermal and IMU have no
 * code there: these are the community's best known recipes (A6 to A8), and a manifest may say otherwise.
 */
export const imagebindRecipes = {
  text: TextRecipe.parse({
    kind: "text",
    tokenizer: "clip",
    file: "bpe_simple_vocab_16e6.txt.gz",
    length: 77,
    padTo: "fixed",
    ids: "input",
  }),
  vision: VisionRecipe.parse({
    kind: "vision",
    input: "input",
    size: 224,
    mean,
    std,
    video: { clips: 5, length: "2s", frames: 2, crops: 3 },
  }),
  audio: FbankRecipe.parse({
    kind: "fbank",
    input: "input",
    rate: 16_000,
    bins: 128,
    frames: 204,
    mean: -4.268,
    std: 9.138,
    clips: { count: 3, length: "2s" },
  }),
  /** Omnivore's evaluation transform of disparity: clamp to [0.01, 75], divide by 75 (facebookresearch/omnivore issue 12). */
  depth: DepthRecipe.parse({
    kind: "depth",
    input: "input",
    size: 224,
    as: "disparity",
    baseline: 0.075,
    valueClamp: [0.01, 75],
    divide: 75,
    mean: 0.0418,
    std: 0.0295,
  }),
  thermal: ThermalRecipe.parse({ kind: "thermal", input: "input", size: 224 }),
  /** 2000 steps at 400 Hz are the paper's 5 s; accelerometer first as the paper lists it. */
  imu: SeriesRecipe.parse({
    kind: "series",
    input: "input",
    rate: 400,
    steps: 2000,
    channels: ["ax", "ay", "az", "gx", "gy", "gz"],
    units: ["m/s²", "m/s²", "m/s²", "rad/s", "rad/s", "rad/s"],
  }),
} as const;
