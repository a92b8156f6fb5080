import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { seeded } from "../../../src/core/random.js";
import { letter, numberOf, open, scratch } from "./letters.js";

const total = 1500;

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "while the disk writes, letters come, are acknowledged and links are lost: each arrives, in order (seed %i)",
  async (seed) => {
    const random = seeded(seed);
    await using folder = await scratch();
    await using outbox = await open(folder.path);
    let underWay: { position: number; number: number }[] = [];
    let linked = true;
    let lastTaken = -1;
    const pump = () => {
      while (linked && underWay.length < 64) {
        const next = outbox.take();
        if (next === undefined) return;
        expect(numberOf(next)).toBe(lastTaken + 1);
        lastTaken = numberOf(next);
        underWay.push({ position: next.position, number: lastTaken });
      }
    };
    outbox.onReady = pump;
    let settled = 0;
    for (let number = 0, turns = 0; settled < total; turns++) {
      expect(turns, `${settled} of ${number} arrived`).toBeLessThan(200_000);
      for (let i = random() * 30; i > 0 && number < total; i--) {
        outbox.append(letter(number, number % 5 === 0 ? "update" : "edge", 200 + Math.floor(random() * 2000)));
        number++;
        if (random() < 0.2) await turn();
      }
      await turn();
      for (const { position } of underWay.splice(0, Math.floor(random() * 20))) {
        outbox.settle(position);
        settled++;
      }
      if (random() < 0.02) {
        linked = !linked;
        lastTaken = settled - 1;
        underWay = [];
        if (!linked) outbox.rewind();
      } else if (random() < 0.2) linked = true;
      pump();
    }
    expect(outbox.pending).toBe(0);
  },
);
