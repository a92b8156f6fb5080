import { expect, test } from "vitest";
import { parseDuration } from "../../src/core/duration.js";

test.each([
  ["500ms", 500_000],
  ["2s", 2_000_000],
  ["1.5s", 1_500_000],
  ["5m", 300_000_000],
  ["1h", 3_600_000_000],
  ["1d", 86_400_000_000],
])("%s is %i microseconds", (text, micros) => {
  expect(parseDuration(text)).toBe(micros);
});

test.each(["", "5", "-1s", "1 week", "1e3s", "s"])("%j is refused, with an example of what to write", (text) => {
  expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: "BAD_DURATION" }));
});
