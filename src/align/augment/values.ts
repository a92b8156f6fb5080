import { gaussian } from "../../core/random.js";
import { tensor } from "../../core/tensor.js";
import { type Augment, within } from "./augment.js";

/**
 * Gaussian noise of up to `most` of the input's own deviation, 0.1 unless given (jitter: Um et al. 2017, "Data augmentation of wearable
 * sensor data for Parkinson's disease monitoring", arXiv 1706.00552).
 */
export const jitter =
  ({ most = 0.1 } = {}): Augment =>
  ({ dims, data }, random) => {
    const noise = most * random() * deviation(data);
    return tensor(
      dims,
      data.map((value) => value + noise * gaussian(random)),
    );
  };

/**
 * All values times `1 ± gain`, plus up to `offset` of the input's deviation: a microbolometer's response drifts with the temperature of
 * its own housing (Nugent, Shaw and Pust 2013, Optical Engineering 52, 061304). For thermal and depth maps; gain 0.2, offset 0.2.
 */
export const gainOffset =
  ({ gain = 0.2, offset = 0.2 } = {}): Augment =>
  ({ dims, data }, random) => {
    const factor = 1 + within(gain, random);
    const shift = within(offset, random) * deviation(data);
    return tensor(
      dims,
      data.map((value) => value * factor + shift),
    );
  };

/**
 * Each channel of `[..., channels, steps]` times its own `1 ± most`, 0.1 unless given (scaling: Um et al. 2017, arXiv 1706.00552):
 * two gas sensors of one type differ by more than that.
 */
export const scaleChannels =
  ({ most = 0.1 } = {}): Augment =>
  ({ dims, data }, random) => {
    const steps = dims.at(-1)!;
    const factors = Array.from({ length: dims.at(-2) ?? 1 }, () => 1 + within(most, random));
    return tensor(
      dims,
      data.map((value, i) => value * factors[Math.floor(i / steps) % factors.length]!),
    );
  };

function deviation(data: Float32Array): number {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  return Math.sqrt(Math.max(0, squares / data.length - mean * mean));
}
