export type { EncoderDesign, LoraDesign, Training, TrainingInput } from "../core/training.js";
export type { Augment } from "./augment/augment.js";
export { augmentationOf } from "./augment/by-recipe.js";
export {
  type BindOptions,
  type BindParts,
  type BindProgress,
  type Bound,
  bindSensor,
  checkFloor,
} from "./bind.js";
export { adapter } from "./net/adapter.js";
export { architectureOf, type Surroundings } from "./net/architecture-of.js";
export {
  type ConvolutionOptions,
  convolutional,
  type HeadOptions,
  head,
  type PatchOptions,
  patchTransformer,
  type SeriesOptions,
  seriesTransformer,
  type TransformerOptions,
  transformer,
} from "./net/architectures.js";
export { type LoraOptions, lora } from "./net/lora.js";
export { type Architecture, finished, type Init, type Net, type Parameter, parametersOf, partOf } from "./net/net.js";
export { type OrientedOptions, oriented } from "./net/oriented.js";
export { type Collected, type CollectOptions, collectPairs, type Streams } from "./pairs/collect.js";
export type { MatchOptions } from "./pairs/match.js";
export type { Anchor, Match, Pair, Sensed, Split } from "./pairs/pair.js";
export type { SceneOptions } from "./pairs/scenes.js";
export type { SplitOptions } from "./pairs/split.js";
export { cardMarkdown } from "./report/card.js";
export type { CalibrationFacts } from "./report/facts.js";
export { reportHtml } from "./report/page.js";
export { type AdamWOptions, adamW } from "./train/adamw.js";
export { type Checkpoint, checkpointFile, type Progress } from "./train/checkpoint.js";
export type { Engine, EngineSession } from "./train/engine.js";
export { Forward } from "./train/forward.js";
export { type JointState, JointTrainer } from "./train/joint.js";
export type { Look, LoopState } from "./train/loop-state.js";
export { type ContrastOptions, infoNce, logitScale, sigmoidBias, sigmoidLoss } from "./train/loss.js";
export type { JointOptions, Moment, PairKind, Tower } from "./train/pair-kind.js";
export { type Recall, recallOf } from "./train/recall.js";
export { constant, type Schedule } from "./train/schedule.js";
export { beginning, type StepGraph, type StepInput, type StepOptions, stepGraph } from "./train/step-graph.js";
export { Trainer, type TrainerParts, type TrainingState } from "./train/trainer.js";
