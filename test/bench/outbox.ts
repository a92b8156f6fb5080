/**
 * QoS 1 messages of 4 KB, end to end to a subscriber: bare mqtt.js against the publisher with its outbox on disk, on the
 * same mosquitto in the same run, alternating. Run: `npx tsx test/bench/outbox.ts [messages]`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import mqtt from "mqtt";
import { startMosquitto } from "../support/mosquitto.js";
import { event, publish } from "../support/wire.js";

const count = Number(process.argv[2] ?? 20_000);
const filler = "x".repeat(3650);

async function subscriber(url: string, total: number): Promise<{ ready: Promise<void>; done: Promise<void> }> {
  const client = mqtt.connect(url, { protocolVersion: 4 });
  let got = 0;
  let finish: () => void;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  client.on("message", () => {
    if (++got === total) void client.endAsync(true).then(finish);
  });
  await client.subscribeAsync("sensebind/node1/event/#", { qos: 0 });
  return { ready: Promise.resolve(), done };
}

const message = (seq: number) =>
  event(seq, { space: filler, id: `event-${seq >> 1}`, phase: seq % 2 === 0 ? "begin" : "end" });

async function bare(url: string, protocolVersion: 4 | 5): Promise<number> {
  const { done } = await subscriber(url, count);
  const client = await mqtt.connectAsync(url, { protocolVersion });
  const start = performance.now();
  let next = 0;
  let underWay = 0;
  const pump = () => {
    while (underWay < 512 && next < count) {
      underWay++;
      client.publish("sensebind/node1/event/cam0/person", JSON.stringify(message(next++)), { qos: 1 }, () => {
        underWay--;
        pump();
      });
    }
  };
  pump();
  await done;
  const rate = (count / (performance.now() - start)) * 1e3;
  await client.endAsync(true);
  return rate;
}

async function withOutbox(url: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-bench-"));
  const publisher = await publish(url, { outbox: { folder, maxBytes: 2 ** 30 } });
  while (!publisher.connected) await new Promise((resolve) => setImmediate(resolve));
  const { done } = await subscriber(url, count);
  const start = performance.now();
  for (let seq = 0; seq < count; ) {
    for (const end = Math.min(seq + 100, count); seq < end; seq++) publisher.event(message(seq));
    while (publisher.pending > 1000) await wait(1);
  }
  await done;
  const rate = (count / (performance.now() - start)) * 1e3;
  await publisher[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  return rate;
}

const config = ["listener $PORT 127.0.0.1", "allow_anonymous true", "max_inflight_messages 0"];
await using broker = await startMosquitto(process.argv[3] === "default" ? {} : { config });
const rows: { bare4: number; bare5: number; outbox: number }[] = [];
// One round of each to warm up, which does not count.
await bare(broker.url, 5);
await withOutbox(broker.url);
for (let round = 0; round < 5; round++) {
  rows.push({
    bare4: await bare(broker.url, 4),
    bare5: await bare(broker.url, 5),
    outbox: await withOutbox(broker.url),
  });
  const { bare4, bare5, outbox } = rows.at(-1)!;
  console.log(`bare 3.1.1 ${bare4.toFixed(0)}/s, bare 5 ${bare5.toFixed(0)}/s, outbox ${outbox.toFixed(0)}/s`);
}
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;
const ratio = median(rows.map((row) => row.outbox / row.bare5));
console.log(
  `outbox / bare mqtt.js (MQTT 5): ${(100 * ratio).toFixed(0)} % (median of ${rows.length}, ${count} messages)`,
);
