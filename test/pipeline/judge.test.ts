import { expect, test } from "vitest";
import { Judge } from "../../src/pipeline/judge.js";
import { LiveRules } from "../../src/rules/live.js";
import { type Learned, nothingLearned } from "../../src/space/background/operating-point.js";
import type { SensorConcepts } from "../../src/space/recognise.js";

test("with another encoder, what was learned of its scores' background is given up, and of other sensors it stays", () => {
  let head = "old";
  const learned = { red: nothingLearned };
  const none = new Map<string, SensorConcepts>();
  const names = { world: {} };
  const judge = new Judge({
    ...{ node: "barn", concepts: none, names, firstSeq: 0, clock: undefined, left: { events: [], alerts: [] } },
    rules: new LiveRules({}, { node: "barn", lateness: 0, idle: 0, world: {} } as ConstructorParameters<
      typeof LiveRules
    >[1]),
    backgrounds: new Map<string, Readonly<Record<string, Learned>>>([
      ["gas", learned],
      ["camera", learned],
    ]),
    originsOf: () =>
      new Map([
        ["gas", { red: head }],
        ["camera", { red: "the same" }],
      ]),
  });
  head = "new";
  expect([...judge.useConcepts(none, { world: { gas: ["red"] }, rules: {} })]).toEqual([]);
  expect(judge.backgrounds).toEqual(
    new Map<string, unknown>([
      ["gas", {}],
      ["camera", learned],
    ]),
  );
  expect(judge.origins.get("gas")).toEqual({ red: "new" });
  expect(names.world).toEqual({ gas: ["red"] });
});
