import { noise, seeded } from "../../demo/scene/random.js";
import { type Activity, type Part, partAt } from "./script.js";

/** Samples a second of every channel. */
export const gasRate = 5;

/** What is in the air, as shares of a strong smell: no sensor here measures ppm. */
const gases = ["methane", "ethanol", "fumes", "aroma"] as const;
type Gas = (typeof gases)[number];

const source: Readonly<Partial<Record<Activity, Gas>>> = {
  leak: "methane",
  cleaning: "ethanol",
  frying: "fumes",
  coffee: "aroma",
};

/** Metal oxide sensors by type and how each answers to each gas: in the order of their data sheets, the numbers are made up. */
const sensors: readonly { readonly channel: string; readonly answers: Readonly<Record<Gas, number>> }[] = [
  { channel: "mq2", answers: { methane: 6, ethanol: 3, fumes: 5, aroma: 0.8 } },
  { channel: "mq3", answers: { methane: 0.4, ethanol: 14, fumes: 1.5, aroma: 1 } },
  { channel: "mq4", answers: { methane: 12, ethanol: 0.8, fumes: 1, aroma: 0.3 } },
  { channel: "mq5", answers: { methane: 9, ethanol: 1.2, fumes: 1.4, aroma: 0.3 } },
  { channel: "mq7", answers: { methane: 0.6, ethanol: 0.7, fumes: 7, aroma: 0.5 } },
  { channel: "mq8", answers: { methane: 1, ethanol: 2.5, fumes: 1, aroma: 0.4 } },
  { channel: "mq9", answers: { methane: 5, ethanol: 0.9, fumes: 6, aroma: 0.6 } },
  { channel: "mq135", answers: { methane: 0.8, ethanol: 5, fumes: 4, aroma: 4 } },
];
export const channels = sensors.map(({ channel }) => channel);

/** Seconds until the air, or a sensor's surface, is two thirds of the way to what it will be. */
const air = { fill: 2, clear: 4 };
const surface = { rise: 1.5, recover: 4 };
/** Conductance over clean air goes as a power of the gas (Figaro, TGS 2600 and 2611: straight lines in a double logarithmic plot). */
const power = 0.6;
/** Load over sensor resistance in clean air: 5 V over both gives 0.45 V. */
const load = 0.1;
const supply = 5;

/**
 * Volts over the load resistors, interleaved by channel, five times a second: each gas fills the room while its source is there and
 * clears afterwards, each surface follows it more slowly back than forth, and the baseline drifts by some percent over the minutes.
 */
export function gasVolts(parts: readonly Part[], seconds: number, seed: number): Float32Array {
  const random = seeded(seed);
  const step = 1 / gasRate;
  const inAir: Record<Gas, number> = { methane: 0, ethanol: 0, fumes: 0, aroma: 0 };
  const states = sensors.map(() => ({ answer: 1, drift: noise(random, 0.05) }));
  const out = new Float32Array(seconds * gasRate * sensors.length);
  for (let i = 0; i < seconds * gasRate; i++) {
    const part = partAt(parts, i * step);
    const strength = 0.6 + 0.6 * seeded(part.look)();
    for (const gas of gases) {
      const aim = source[part.activity] === gas ? strength : 0;
      inAir[gas] += ((aim - inAir[gas]) * step) / (aim > inAir[gas] ? air.fill : air.clear);
    }
    for (const [c, { answers }] of sensors.entries()) {
      const state = states[c]!;
      const total = gases.reduce((sum, gas) => sum + answers[gas] * inAir[gas], 0);
      const aim = (1 + total) ** power;
      state.answer += ((aim - state.answer) * step) / (aim > state.answer ? surface.rise : surface.recover);
      state.drift += noise(random, 0.002) - state.drift * 0.001;
      const ratio = load * state.answer * (1 + state.drift) * (1 + noise(random, 0.01));
      out[i * sensors.length + c] = (supply * ratio) / (1 + ratio);
    }
  }
  return out;
}
