import type { UnitVector } from "../../core/embedding.js";
import type { Tensor } from "../../core/tensor.js";
import type { Micros } from "../../core/time.js";

/** What a sensor gave for one window: the tensor its encoder takes, or the feature of a frozen encoder. */
export interface Sensed {
  /** Event time of the middle of the window. */
  readonly time: Micros;
  readonly input: Tensor<Float32Array>;
}

/** Where a camera frame, or a sentence in its place, lies in the space. */
export interface Anchor {
  /** Event time of the frame. */
  readonly time: Micros;
  readonly vector: UnitVector;
  /** Mean luminance of the frame, 0 black to 1 white, where it is known: a covered lens is dark. */
  readonly light?: number;
}

/** A window of a sensor and where the camera's embedding of the same moment lies. */
export interface Match {
  /** Event time of the middle of the sensor's window. */
  readonly time: Micros;
  readonly sensor: Tensor<Float32Array>;
  readonly anchor: UnitVector;
}

/** A match, with what the camera has seen before: pairs of one scene are no negatives of one another. */
export interface Pair extends Match {
  /** The same number wherever the camera sees the same, at whatever time. */
  readonly scene: number;
  /** Counts the unbroken stretches of one scene: what lies in one stretch is never on both sides of a split. */
  readonly visit: number;
}

/** Pairs to learn from, and pairs of other times to judge by; both in order of time. */
export interface Split {
  readonly train: readonly Pair[];
  readonly heldOut: readonly Pair[];
}
