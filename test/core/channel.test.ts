import { expect, test } from "vitest";
import { Channel } from "../../src/core/channel.js";

const drain = async <T>(channel: Channel<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const value of channel) out.push(value);
  return out;
};

test("what was put in comes out in order, what waits at the close included", async () => {
  const channel = new Channel<number>(10);
  const read = drain(channel);
  channel.put(1);
  await Promise.resolve();
  channel.put(2);
  channel.put(3);
  channel.close();
  channel.put(4);
  expect(await read).toEqual([1, 2, 3]);
});

test("beyond its limit the oldest gives way and is counted", async () => {
  const channel = new Channel<number>(2);
  for (const value of [1, 2, 3, 4]) channel.put(value);
  channel.close();
  expect(await drain(channel)).toEqual([3, 4]);
  expect(channel.dropped).toBe(2);
});
