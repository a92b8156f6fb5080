import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { curve, type Sight } from "../../src/cli/events/curve.js";
import { readIntervals } from "../../src/cli/events/labels.js";
import { matchEvents, type Span } from "../../src/cli/events/match.js";
import { plot } from "../../src/cli/events/plot.js";
import { type Duration, type Micros, s } from "../../src/core/time.js";
import { sensebind } from "./spawn.js";

const at = (second: number): Micros => (second * 1e6) as Micros;
const dog = (from: number, to: number) => ({ concept: "dog", from: at(from), to: at(to) });
const event = (from: number, to: number, more: Partial<Span> = {}): Span => ({
  ...{ sensor: "mic", concept: "dog", from: at(from), to: at(to), told: at(from + 1) },
  ...more,
});
const watched = { hours: 2, tolerance: s(1) };

test("a label is found once however many events it has, and an event far from every label is a false alarm", () => {
  const spans = [event(10, 12), event(14, 15), event(40, 41), event(90, 91, { concept: "cat" })];
  expect(matchEvents([dog(10, 15), dog(60, 65)], spans, watched)).toEqual({
    ...{ labels: 2, found: 1, recall: 0.5, events: 4, falseAlarms: 2, precision: 0.5, falseAlarmsPerHour: 1 },
    latencySeconds: { median: 1, p90: 1 },
  });
});

test("a label that names a sensor is found by no other", () => {
  const label = { ...dog(10, 15), sensor: "camera" };
  expect(matchEvents([label], [event(10, 12)], watched)).toMatchObject({ found: 0, falseAlarms: 1 });
  expect(matchEvents([label], [event(10, 12, { sensor: "camera" })], watched)).toMatchObject({
    found: 1,
    falseAlarms: 0,
  });
});

const sights = (margins: readonly number[]): Sight[] =>
  margins.map((margin, i) => ({ sensor: "mic", concept: "dog", from: at(i), to: at(i + 1), margin }));

test("the curve counts runs of windows outside the labels as one alarm each", () => {
  const margins = [0, 5, 5, 0, 9, 0, 7, 7, 0, 0];
  const points = curve([dog(4.2, 4.8)], sights(margins), { hours: 1, tolerance: 0 as Duration });
  const pointAt = (threshold: number) => points.find((point) => point.threshold === threshold);
  expect(pointAt(9)).toMatchObject({ recall: 1, falseAlarmsPerHour: 0 });
  expect(pointAt(7)).toMatchObject({ recall: 1, falseAlarmsPerHour: 1 });
  expect(pointAt(5)).toMatchObject({ recall: 1, falseAlarmsPerHour: 2 });
  expect(points[0]).toMatchObject({ threshold: Number.POSITIVE_INFINITY, recall: 0, falseAlarmsPerHour: 0 });
});

test("a lower threshold never finds less", () => {
  const margin = fc.double({ min: -1, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(margin, { minLength: 1, maxLength: 60 }), fc.nat(59), (margins, from) => {
      const points = curve([dog(from, from + 3)], sights(margins), watched);
      for (const [i, point] of points.entries()) {
        if (i === 0) continue;
        expect(point.recall).toBeGreaterThanOrEqual(points[i - 1]!.recall);
        expect(point.threshold).toBeLessThanOrEqual(points[i - 1]!.threshold);
      }
    }),
  );
});

test("the plot is well-formed SVG inside its frame, whatever a concept is called", () => {
  const points = [0, 0.5, 3, 200].map((rate, i) => ({ threshold: -i, recall: i / 3, falseAlarmsPerHour: rate }));
  const svg = plot([{ name: `<a & "b">`, points, mark: points[1]! }], { title: "t", hours: 3 });
  expect(svg).toContain("&#60;a &#38; &#34;b&#34;&#62;");
  expect(svg.match(/<text/g)!.length).toBe(svg.match(/<\/text>/g)!.length);
  const numbers = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].flatMap(([, x, y]) => [Number(x), Number(y)]);
  expect(Math.max(...numbers)).toBeLessThan(760);
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test("times are seconds since the recording began, or microseconds; a line that is no interval is told by its number", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "labels-")), "l.csv");
  writeFileSync(path, "concept,from,to\r\ndog,1.5,2\r\ndog,1700000000000000,1700000001000000\r\n");
  expect((await readIntervals(path))(at(100))).toEqual([
    { concept: "dog", from: 101.5e6, to: 102e6 },
    { concept: "dog", from: 1.7e15, to: 1.700000001e15 },
  ]);
  writeFileSync(path, "concept,from,to\ndog,1,2\ndog,5,2\n");
  await expect(readIntervals(path)).rejects.toMatchObject({ message: expect.stringContaining("l.csv:3") });
});

test("eval events tells of the demo's recording what its script says, and draws it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "events-"));
  const args = ["examples/demo/demo.mcap", "examples/demo/labels.csv", "--config", "examples/demo/demo.yaml"];
  const { code, stdout } = await sensebind("eval", "events", ...args, "--plot", join(folder, "p.svg"), "--json");
  expect(code).toBe(0);
  const { all, concepts } = JSON.parse(stdout);
  expect(all).toMatchObject({ labels: 8, recall: 1, falseAlarms: 0, precision: 1 });
  expect(concepts.fall).toMatchObject({ labels: 1, found: 1, latencySeconds: { median: expect.any(Number) } });
  expect(readFileSync(join(folder, "p.svg"), "utf8")).toContain("smoke_alarm");
});

test("labels of a concept that nothing is asked for are refused with a suggestion", async () => {
  const path = join(mkdtempSync(join(tmpdir(), "labels-")), "l.csv");
  writeFileSync(path, "concept,from,to\ncats,1,2\n");
  const args = ["examples/demo/demo.mcap", path, "--config", "examples/demo/demo.yaml"];
  const { code, stderr } = await sensebind("eval", "events", ...args);
  expect([code, stderr.split("\n")[1]]).toEqual([2, 'hint: Did you mean "cat"?']);
});
