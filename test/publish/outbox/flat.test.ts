import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { event, publish } from "../../support/wire.js";
import { scratch } from "./letters.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that are held, in and beside the JavaScript heap. */
function held(): number {
  // Twice: what the first frees beside the heap is only counted by the second.
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it("memory is flat while the broker is away for 100,000 events, and all of them wait", async () => {
  await using folder = await scratch();
  const outbox = { folder: folder.path, maxBytes: 2 ** 27 };
  await using publisher = await publish("mqtt://127.0.0.1:1", { outbox });
  let early = 0;
  for (let seq = 0; seq < 100_000; seq++) {
    publisher.event(event(seq, { id: `event-${seq >> 1}`, phase: seq % 2 === 0 ? "begin" : "end" }));
    if (seq % 500 === 499) await publisher.flush();
    if (seq === 9_999) early = held();
  }
  expect(publisher.pending).toBe(100_000);
  expect(publisher.losses).toEqual({ embeddings: 0, updates: 0, events: 0 });
  expect(held() - early).toBeLessThan(8 * 2 ** 20);
}, 120_000);
