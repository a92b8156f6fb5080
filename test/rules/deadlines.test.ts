import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/rules/deadlines.js";

test("the earliest deadline is at the top, however often rules change theirs", () => {
  const time = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(Number.POSITIVE_INFINITY));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(39), time), { maxLength: 200 }), (changes) => {
      const deadlines = new Deadlines(40);
      const plain = new Array<number>(40).fill(Number.POSITIVE_INFINITY);
      for (const [rule, at] of changes) {
        deadlines.set(rule, at);
        plain[rule] = at;
        expect(deadlines.next).toBe(Math.min(...plain));
        if (Number.isFinite(deadlines.next)) expect(plain[deadlines.rule]).toBe(deadlines.next);
        expect(deadlines.of(rule)).toBe(at);
      }
    }),
    { numRuns: 1_000 },
  );
});
