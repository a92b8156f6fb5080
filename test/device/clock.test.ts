import fc from "fast-check";
import { expect, test } from "vitest";
import { seeded } from "../../src/core/random.js";
import { micros } from "../../src/core/time.js";
import { ClockEstimator, SteadyTime, Unwrap32 } from "../../src/device/clock.js";

const epoch = 1.8e15;

interface Simulation {
  readonly ppm: number;
  readonly jitterUs: number;
  readonly seconds: number;
  readonly rate?: number;
  /** Raw counter at the start. */
  readonly from?: number;
  readonly seed?: number;
}

/** The largest error of the estimate over the last second, in microseconds; the least delay itself is taken as known. */
function worstError({ ppm, jitterUs, seconds, rate = 100, from = 0, seed = 1 }: Simulation): number {
  const random = seeded(seed);
  const estimator = new ClockEstimator();
  const unwrap = new Unwrap32();
  let worst = 0;
  for (let i = 0; i < seconds * rate; i++) {
    const host = (i * 1e6) / rate;
    const raw = Math.round(from + host * (1 - ppm * 1e-6)) % 2 ** 32;
    const arrival = micros(epoch + host + random() * jitterUs);
    const error = Math.abs(estimator.add(unwrap.extend(raw), arrival) - (epoch + host));
    if (i >= (seconds - 1) * rate) worst = Math.max(worst, error);
  }
  return worst;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "100 ppm of drift, 20 ms of jitter and a wrap leave less than 2 ms after 30 s (seed %i)",
  (seed) => {
    const wrapping = { ppm: 100, jitterUs: 20_000, from: 2 ** 32 - 12_345_678, seed };
    expect(worstError({ ...wrapping, seconds: 30 })).toBeLessThan(2000);
    expect(worstError({ ...wrapping, ppm: -100, seconds: 30 })).toBeLessThan(2000);
    expect(worstError({ ...wrapping, seconds: 300 })).toBeLessThan(1000);
  },
);

test("at a few readings a second the jitter is still taken out", () => {
  expect(worstError({ ppm: 50, jitterUs: 20_000, seconds: 120, rate: 5 })).toBeLessThan(3000);
});

test("no offset, drift or jitter that hardware has makes the error larger than the jitter and the drift of the first seconds", () => {
  // Until a line through two seconds of readings is there, drift adds up unseen.
  const unseen = ({ ppm, seconds }: Simulation): number => Math.abs(ppm) * Math.min(seconds, 5);
  const simulation = fc.record({
    ppm: fc.integer({ min: -300, max: 300 }),
    jitterUs: fc.integer({ min: 0, max: 50_000 }),
    seconds: fc.integer({ min: 1, max: 40 }),
    from: fc.nat(2 ** 31 - 1),
    seed: fc.nat(1e6),
  });
  fc.assert(
    fc.property(simulation, (s) => worstError(s) <= s.jitterUs + unseen(s) + 100),
    { numRuns: 60 },
  );
});

test("a device that restarts is found again at once", () => {
  const estimator = new ClockEstimator();
  for (let i = 0; i < 1000; i++) estimator.add(50e6 + i * 1e4, micros(epoch + i * 1e4 + 500));
  expect(estimator.restarts).toBe(0);
  expect(estimator.add(1e3, micros(epoch + 12e6 + 500))).toBe(epoch + 12e6 + 500);
  expect(estimator.restarts).toBe(1);
});

test("offset and drift are told as they are", () => {
  const estimator = new ClockEstimator();
  for (let i = 0; i < 6000; i++) estimator.add(i * 1e4, micros(epoch + i * 1e4 * 1.00005));
  expect(estimator.facts.driftPpm).toBeCloseTo(50, 0);
  expect(Math.abs(estimator.facts.offsetUs - (epoch + 59.99e6 * 0.00005))).toBeLessThan(50);
});

test("a 32-bit counter is extended over its wraps, and frames that come late do not wrap it", () => {
  const unwrap = new Unwrap32();
  const raws = [4294967290, 4294967295, 3, 1, 20];
  expect(raws.map((raw) => unwrap.extend(raw) - 4294967290)).toEqual([0, 5, 9, 7, 26]);
});

test("blocks of sound follow one another to the microsecond though their arrival jitters, and jump over a gap", () => {
  const steady = new SteadyTime();
  const random = seeded(3);
  let last = steady.step(micros(0), 20_000);
  for (let i = 1; i < 2000; i++) {
    const time = steady.step(micros(i * 20_000 + (random() - 0.5) * 10_000), 20_000);
    expect(Math.abs(time - last - 20_000)).toBeLessThanOrEqual(i < 252 ? 1001 : 21);
    expect(Math.abs(time - i * 20_000)).toBeLessThan(6000);
    last = time;
  }
  expect(steady.step(micros(2100 * 20_000), 20_000)).toBe(2100 * 20_000);
});
