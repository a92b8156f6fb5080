import * as fc from "fast-check";
import { expect, test } from "vitest";
import { micros, us } from "../../src/core/time.js";
import { Watermark } from "../../src/rules/watermark.js";

const patience = { lateness: us(3), idle: us(10) };
const told = fc.array(fc.record({ sensor: fc.constantFrom("a", "b", "c", undefined), at: fc.nat(60) }), {
  maxLength: 40,
});

test("is the least of the newest times of sensors that are not idle, minus the lateness, and never goes back", () => {
  fc.assert(
    fc.property(told, fc.nat(40), (inputs, cut) => {
      let watermark = new Watermark(patience);
      const newest = new Map<string, number>();
      let now = -1;
      let mark = -1;
      for (const [i, { sensor, at }] of inputs.entries()) {
        if (i === cut) watermark = new Watermark(patience, JSON.parse(JSON.stringify(watermark.save())));
        const given = sensor === undefined ? watermark.tick(micros(at)) : watermark.hear(sensor, micros(at));
        now = Math.max(now, at);
        if (sensor !== undefined) newest.set(sensor, Math.max(at, newest.get(sensor) ?? -1));
        const holding = [...newest.values()].filter((time) => now - time < patience.idle);
        mark = Math.max(mark, Math.min(...(holding.length > 0 ? holding : [now])) - patience.lateness);
        expect(given).toBe(mark);
      }
    }),
    { numRuns: 2_000 },
  );
});
