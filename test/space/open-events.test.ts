import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Micros } from "../../src/core/time.js";
import { OpenEvents } from "../../src/space/open-events.js";
import type { Recognised } from "../../src/space/recognise.js";

const file = () => join(mkdtempSync(join(tmpdir(), "open-")), "state", "open-events.json");

const event = (phase: Recognised["phase"], extra: Partial<Recognised> = {}): Recognised => ({
  v: 1,
  id: "barn.mic.dog.1",
  node: "barn",
  sensor: "mic",
  modality: "audio",
  concept: "dog",
  phase,
  score: 0.8,
  from: 1_000,
  to: 2_000,
  at: 2_000,
  space: "nano:1",
  ...extra,
});

test("an event that was open when the node was killed is ended by the next start, with the same id", () => {
  const path = file();
  const first = OpenEvents.recover(path, 0 as Micros);
  expect(first.ends).toEqual([]);
  first.openEvents.before(event("begin"));
  const second = OpenEvents.recover(path, 9_000 as Micros);
  expect(second.ends).toEqual([event("end", { at: 9_000, reason: "restart" })]);
});

test("an ended event is not ended again, and one that was not told is", () => {
  const path = file();
  const { openEvents } = OpenEvents.recover(path, 0 as Micros);
  openEvents.before(event("begin"));
  openEvents.before(event("begin", { id: "barn.mic.cat.2", concept: "cat" }));
  openEvents.after(event("end"));
  expect(OpenEvents.recover(path, 0 as Micros).ends.map((end) => end.concept)).toEqual(["cat"]);
});

test("ends that were recovered but not told before the next crash are told by the start after it", () => {
  const path = file();
  OpenEvents.recover(path, 0 as Micros).openEvents.before(event("begin"));
  const second = OpenEvents.recover(path, 9_000 as Micros);
  expect(OpenEvents.recover(path, 9_500 as Micros).ends).toHaveLength(1);
  for (const end of second.ends) second.openEvents.after(end);
  expect(OpenEvents.recover(path, 10_000 as Micros).ends).toEqual([]);
});

test("a damaged file does not keep the node from starting", () => {
  const path = file();
  OpenEvents.recover(path, 0 as Micros).openEvents.before(event("begin"));
  writeFileSync(path, '[{"v":1,');
  expect(OpenEvents.recover(path, 0 as Micros).ends).toEqual([]);
});
