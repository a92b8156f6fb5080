import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Block, Frame, Reading, SensorReading } from "../../src/core/reading.js";
import { hz, micros, ms, s } from "../../src/core/time.js";
import { type BlockCut, type Cut, type FrameCut, slideCounters } from "../../src/window/cut.js";
import { type SlideOptions, slide } from "../../src/window/slide.js";

const YEAR = 365 * 86_400e6;

async function* stream(readings: readonly Reading[]): AsyncGenerator<SensorReading> {
  for (const [seq, reading] of readings.entries()) yield { sensor: "s0", seq, reading };
}

async function collect(all: AsyncIterable<Cut>): Promise<Cut[]> {
  const list: Cut[] = [];
  for await (const cut of all) list.push(cut);
  return list;
}

async function cuts(readings: readonly Reading[], options: SlideOptions): Promise<Cut[]> {
  return collect(slide(stream(readings), options));
}

/** A block of one channel whose samples are their own numbers: sample i is taken at i / rate. */
const ramp = (start: number, count: number, { rate = 100, shift = 0 } = {}): Block => ({
  kind: "block",
  modality: "imu",
  channels: ["ax"],
  rate: hz(rate),
  time: micros((start * 1e6) / rate + shift),
  data: Float32Array.from({ length: count }, (_, i) => start + i),
});

const frame = (time: number): Frame => ({
  kind: "frame",
  modality: "vision",
  format: "gray8",
  width: 1,
  height: 1,
  time: micros(time),
  data: Uint8Array.of(time & 255),
});

const values = (cut: Cut | undefined): number[] => [...(cut as BlockCut).data];

describe("blocks", () => {
  test("however a stream is cut into blocks, its windows are the same", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const total = lengths.reduce((a, b) => a + b, 0);
        let at = 0;
        const parts = lengths.map((count) => {
          at += count;
          return ramp(at - count, count);
        });
        const options = { length: s(1), hop: ms(250) };
        const whole = await cuts([ramp(0, total)], options);
        expect(await cuts(parts, options)).toEqual(whole);
        expect(whole).toHaveLength(total < 100 ? 0 : 1 + Math.floor((total - 100) / 25));
        whole.forEach((cut, k) => {
          expect(values(cut)).toEqual(Array.from({ length: 100 }, (_, i) => 25 * k + i));
          expect(cut).toMatchObject({ seq: k, from: 250e3 * k, to: 250e3 * k + 1e6, quality: { coverage: 1 } });
        });
      }),
    );
  });

  test("jitter of a block's time opens no holes and loses no samples", async () => {
    const jitter = fc.array(fc.integer({ min: -15e3, max: 15e3 }), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(jitter, async (shifts) => {
        const blocks = shifts.map((shift, i) => ramp(i * 10, 10, { shift: i === 0 ? 0 : shift }));
        const [first] = await cuts(blocks, { length: s(1), hop: s(1) });
        expect(values(first)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      }),
    );
  });

  test("a hole is bridged by a straight line and counted in the coverage", async () => {
    const [cut] = await cuts([ramp(0, 40), ramp(60, 60)], { length: s(1), hop: s(1) });
    expect(cut?.quality.coverage).toBeCloseTo(0.8);
    for (const [i, value] of values(cut).entries()) expect(value).toBeCloseTo(i, 4);
  });

  test("a hole in sound is silence", async () => {
    const audio = (block: Block): Block => ({ ...block, modality: "audio" });
    const [cut] = await cuts([audio(ramp(1, 40)), audio(ramp(61, 60))], { length: s(1), hop: s(1) });
    expect(values(cut).slice(38, 62)).toEqual([39, 40, ...Array(20).fill(0), 61, 62]);
  });

  test("samples that are no numbers count as missing", async () => {
    const block = ramp(0, 100);
    block.data.fill(Number.NaN, 10, 30);
    const [cut] = await cuts([block], { length: s(1), hop: s(1) });
    expect(cut?.quality.coverage).toBeCloseTo(0.8);
    expect(values(cut)[15]).toBeCloseTo(15, 4);
  });

  test("with gaps: skip, a window with a hole is skipped and counted", async () => {
    const counters = slideCounters();
    const blocks = [ramp(0, 40), ramp(60, 240)];
    const all = await cuts(blocks, { length: s(1), hop: s(1), gaps: "skip", counters });
    expect(all.map(({ from }) => from)).toEqual([1e6, 2e6]);
    expect(counters).toMatchObject({ skipped: 1, gaps: 0 });
  });

  test("a block that arrives late but in time for its window is put in its place", async () => {
    const [cut] = await cuts([ramp(0, 30), ramp(60, 30), ramp(30, 30), ramp(90, 10)], { length: s(1), hop: s(1) });
    expect(values(cut)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  test("a block of a window that is already gone is counted as late", async () => {
    const counters = slideCounters();
    const all = await cuts([ramp(0, 250), ramp(10, 20), ramp(250, 50)], { length: s(1), hop: s(1), counters });
    expect(all).toHaveLength(3);
    expect(counters).toMatchObject({ late: 1, gaps: 0 });
  });

  test("a block from another year restarts the grid instead of making years of windows", async () => {
    const counters = slideCounters();
    const far = { ...ramp(0, 100), time: micros(3 * YEAR) };
    const all = await cuts([ramp(0, 100), far, ramp(100, 100)], { length: s(1), hop: s(1), counters });
    expect(all.map(({ from }) => from)).toEqual([0, 3 * YEAR, 1e6]);
    expect(all.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(counters.gaps).toBe(2);
    expect(counters.skipped).toBe(Math.floor((3 * YEAR - 1e6) / 1e6));
  });

  test("a block that cannot be meant is dropped, whatever it claims", async () => {
    const counters = slideCounters();
    const claims = fc.record({
      rate: fc.constantFrom(0, -5, Number.NaN, 1e-12, 1e15, Number.POSITIVE_INFINITY),
      time: fc.constantFrom(0, 5e5),
    });
    await fc.assert(
      fc.asyncProperty(claims, async ({ rate, time }) => {
        const odd: Block = { ...ramp(0, 10), rate: hz(rate), time: micros(time) };
        expect(await cuts([odd, ramp(0, 100)], { length: s(1), hop: s(1), counters })).toHaveLength(1);
      }),
    );
    expect(counters.dropped).toBe(100);
  });

  test("a change of rate starts the grid anew", async () => {
    const counters = slideCounters();
    const all = await cuts([ramp(0, 150), ramp(300, 400, { rate: 200 })], { length: s(1), hop: s(1), counters });
    expect(all.map((cut) => [cut.from, (cut as BlockCut).rate])).toEqual([
      [0, 100],
      [1.5e6, 200],
      [2.5e6, 200],
    ]);
    expect(counters.gaps).toBe(1);
  });

  test("jumps in the numbering are readings lost", async () => {
    const counters = slideCounters();
    async function* holes(): AsyncGenerator<SensorReading> {
      for (const seq of [0, 1, 5, 6]) yield { sensor: "s0", seq, reading: ramp(seq * 10, 10) };
    }
    await collect(slide(holes(), { length: s(1), hop: s(1), counters }));
    expect(counters.lost).toBe(3);
  });

  test("a partial window is yielded only where asked for, and no longer than what was there", async () => {
    const options = { length: s(1), hop: s(1) };
    expect(await cuts([ramp(0, 40)], options)).toEqual([]);
    const [cut] = await cuts([ramp(0, 40)], { ...options, partial: true });
    expect(values(cut)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe("frames", () => {
  const camera = (count: number, fps = 10): Frame[] =>
    Array.from({ length: count }, (_, i) => frame(micros((i * 1e6) / fps)));
  const times = (cut: Cut): number[] => (cut as FrameCut).frames.map(({ time }) => time);

  test("a window has the newest frame of its span", async () => {
    const all = await cuts(camera(31), { length: s(1), hop: ms(500) });
    expect(all.map(times)).toEqual([[9e5], [14e5], [19e5], [24e5], [29e5]]);
    expect(all.every(({ quality }) => quality.coverage === 1)).toBe(true);
  });

  test("with frames: n, its frames are spread over the span, both ends included", async () => {
    const [cut] = await cuts(camera(100, 100), { length: s(1), hop: s(1), frames: 5 });
    const kept = times(cut!);
    expect(kept).toHaveLength(5);
    expect(kept[0]).toBe(0);
    expect(kept.at(-1)).toBe(99e4);
    for (const [i, time] of kept.slice(1).entries()) expect(time - kept[i]!).toBeGreaterThanOrEqual(1e5);
  });

  test("frames that a camera left out show in the coverage", async () => {
    const left = camera(31).filter((_, i) => i < 20 || i % 5 === 0);
    const all = await cuts(left, { length: s(1), hop: s(1), coverage: 0 });
    expect(all.map(({ quality }) => quality.coverage)).toEqual([1, 1, expect.closeTo(0.2)]);
  });

  test("windows without a frame are skipped and counted", async () => {
    const counters = slideCounters();
    const all = await cuts([...camera(10), ...camera(60).slice(50)], { length: s(1), hop: s(1), counters });
    expect(all.map(({ from }) => from)).toEqual([0, 5e6]);
    expect(counters).toMatchObject({ skipped: 4, gaps: 0 });
  });
});

test("nothing is held of a stream that goes on for ever: the same source a thousand times gives the same windows", async () => {
  const counters = slideCounters();
  const still = Array.from({ length: 2000 }, () => ramp(0, 10));
  await cuts(still, { length: s(1), hop: s(1), counters });
  expect(counters.dropped).toBeGreaterThan(1900);
});

test("whatever a source sends, windows are numbered, of the asked length, finite, and no more than time allows", async () => {
  const time = fc.oneof(fc.integer({ min: 0, max: 20e6 }), fc.constantFrom(-YEAR, 9 * YEAR, Number.NaN, 1e300, -1e300));
  const block = fc.record({
    time,
    rate: fc.constantFrom(100, 100, 100, 50, 0, 1e-6, 1e12, Number.NaN),
    count: fc.integer({ min: 0, max: 300 }),
    width: fc.constantFrom(1, 1, 2, 0),
    value: fc.constantFrom(1, Number.NaN),
  });
  const reading = fc.oneof(
    block.map(
      ({ time, rate, count, width, value }): Reading => ({
        kind: "block",
        modality: "imu",
        time: micros(time),
        rate: hz(rate),
        channels: ["ax", "ay"].slice(0, width),
        data: new Float32Array(count * Math.max(1, width)).fill(value),
      }),
    ),
    time.map((at): Reading => frame(at)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(reading, { maxLength: 30 }),
      fc.constantFrom(ms(100), s(1), s(3)),
      async (readings, hop) => {
        const all = await cuts(readings, { length: s(1), hop, coverage: 0.3 });
        expect(all.length).toBeLessThan(readings.length * 60 + 1);
        for (const [i, cut] of all.entries()) {
          expect(cut.seq).toBe(i);
          expect(cut.to - cut.from).toBe(1e6);
          expect(cut.quality.coverage).toBeGreaterThanOrEqual(0.3);
          expect(cut.quality.coverage).toBeLessThanOrEqual(1);
          if (cut.kind === "block") expect(cut.data.every((value) => value === 1)).toBe(true);
          else expect(cut.frames).toHaveLength(1);
        }
      },
    ),
    { numRuns: 400 },
  );
});
