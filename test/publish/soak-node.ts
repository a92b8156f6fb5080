/**
 * A node that publishes numbered events until there are enough, and is killed while it does. What a kill left open it
 * ends first, with `reason: "restart"`. Arguments: outbox folder, broker, number of events.
 */
import type { Event } from "../../src/core/event.js";
import { s } from "../../src/core/time.js";
import { event, publish } from "../support/wire.js";

const [folder, url, total] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const publisher = await publish(url, { outbox: { folder } });
const { recovered } = publisher;
let seq = recovered.nextSeq;

const open: Event[] = [];
for (const left of recovered.events) publisher.event({ ...left, seq: seq++, phase: "end", reason: "restart" });

/** Begins, updates and ends of events of twelve topics, several open at a time. */
function next(): Event {
  const [sensor, concept] = [`cam${seq % 4}`, `concept${seq % 3}`];
  if (open.length > 6 || (open.length > 0 && seq >= total - 8)) {
    const oldest = open[0]!;
    if (seq % 5 === 0) return { ...oldest, phase: "update", seq: seq++ };
    open.shift();
    return { ...oldest, phase: "end", seq: seq++ };
  }
  const begun = event(seq, { sensor, concept, id: `${sensor}-${concept}-${seq++}` });
  open.push(begun);
  return begun;
}

while (seq < total || open.length > 0) {
  for (let i = 0; i < 50 && (seq < total || open.length > 0); i++) publisher.event(next());
  while (publisher.pending > 400) await new Promise((resolve) => setImmediate(resolve));
}
await publisher.drain(s(60));
await publisher[Symbol.asyncDispose]();
