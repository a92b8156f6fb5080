/**
 * A process that fills an outbox on a disk without room until it is killed. Of each step it prints, as a line of JSON, what
 * it is about to settle before it does, and what is certain after it was flushed.
 */

import { laneOf } from "./full-lanes.js";
import { letter, numberOf, open } from "./letters.js";

const outbox = await open(process.argv[2]!, { maxBytes: 2 ** 21 });
const say = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);

for (let number = Number(process.argv[3]); ; ) {
  for (const end = number + 40; number < end; number++) outbox.append(letter(number, laneOf(number), 700));
  await outbox.flush();
  const taken = [];
  // The oldest have to be read from disk first.
  for (let turns = 0; taken.length < 12 && turns < 100; turns++) {
    const next = outbox.take();
    if (next === undefined) await new Promise((resolve) => setImmediate(resolve));
    else taken.push(next);
  }
  say({ settling: taken.map(numberOf) });
  for (const { position } of taken) outbox.settle(position);
  outbox.rewind();
  await outbox.flush();
  say({ flushed: number - 1, settled: taken.map(numberOf) });
}
