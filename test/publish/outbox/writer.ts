/** A process that fills an outbox until it is killed: prints the number of the last letter that was flushed. */
import { letter, numberOf, open } from "./letters.js";

const [folder, first, settleFrom] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])];
const outbox = await open(folder);
const settled: number[] = [];
outbox.onReady = () => {
  for (let next = outbox.take(); next !== undefined; next = outbox.take()) {
    if (numberOf(next) >= settleFrom) continue;
    outbox.settle(next.position);
    settled.push(numberOf(next));
  }
};
for (let number = first; ; ) {
  for (const end = number + 7; number < end; number++)
    outbox.append(letter(number, number % 3 === 0 ? "update" : "edge"));
  await outbox.flush();
  process.stdout.write(`${number - 1} ${settled.at(-1) ?? -1}\n`);
}
