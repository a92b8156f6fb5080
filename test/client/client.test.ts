import { describe, expect, it } from "vitest";
import * as z from "zod";
import { connect } from "../../src/client/index.js";
import { ms, s } from "../../src/core/time.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { alert, brokers, embedding, event, publish } from "../support/wire.js";

const commands = {
  concept: z.strictObject({ texts: z.array(z.string()) }),
  rule: z.strictObject({ when: z.string() }),
  handlers: { embed: ({ text }: { text: string }) => ({ space: "test:0000", vector: [text.length] }) },
};

async function take<T>(from: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of from) {
    taken.push(value);
    if (taken.length === count) break;
  }
  return taken;
}

describe.each(brokers)("a client on $name", ({ start, skip }) => {
  it.skipIf(skip)("gets typed events, alerts, states, statuses and embeddings", async () => {
    await using broker = await start();
    await using client = await connect(broker.url);
    const [events, alerts, states] = [client.events(), client.alerts(), client.states()];
    const [embeddings, statuses] = [client.embeddings(), client.statuses()];
    await client.ready();
    await using publisher = await publish(broker.url);
    await eventually(() => publisher.connected);
    publisher.event(event(0));
    publisher.alert(alert(1));
    publisher.state("cam0", "person", { v: 1, on: true, score: 0.75, since: 5 });
    expect(await take(statuses, 1)).toMatchObject([{ node: "node1", state: "online", space: "test:0000" }]);
    expect(await take(events, 1)).toEqual([event(0)]);
    expect(await take(alerts, 1)).toEqual([alert(1)]);
    expect(await take(states, 1)).toMatchObject([{ node: "node1", sensor: "cam0", concept: "person", on: true }]);
    publisher.embedding(embedding(7));
    const [got] = await take(embeddings, 1);
    const { vector, ...rest } = embedding(7);
    expect(got).toMatchObject({ ...rest, node: "node1" });
    expect([...got!.vector].every((value, i) => Math.abs(value - vector[i]!) < 1e-6)).toBe(true);
  });

  it.skipIf(skip)(
    "gets only what its filter names, each once, in order, though the broker brings some twice",
    async () => {
      await using broker = await start();
      await using client = await connect(broker.url);
      const persons = client.events({ concept: "person" });
      const all = client.events({ node: "node1" });
      await client.ready();
      await using other = await subscribe(broker.url, "nothing");
      for (const seq of [0, 1, 2, 1, 2, 3]) {
        const concept = seq === 1 ? "cat" : "person";
        const topic = `sensebind/node1/event/cam0/${concept}`;
        await other.client.publishAsync(topic, JSON.stringify(event(seq, { concept })), { qos: 1 });
      }
      expect((await take(persons, 3)).map(({ seq }) => seq)).toEqual([0, 2, 3]);
      expect((await take(all, 4)).map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
    },
  );

  it.skipIf(skip)("a reader that comes later gets what is retained", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url);
    publisher.state("cam0", "person", { v: 1, on: true, score: 0.5, since: 9 });
    await eventually(() => publisher.connected && publisher.pending === 0);
    await using client = await connect(broker.url);
    expect(await take(client.states(), 1)).toMatchObject([{ since: 9 }]);
    expect(await take(client.states(), 1)).toMatchObject([{ since: 9 }]);
  });

  it.skipIf(skip)("tells which messages are missing, and takes a late one or a restart for neither", async () => {
    await using broker = await start();
    await using client = await connect(broker.url);
    const gaps = client.gaps({ node: "node1" });
    const events = client.events();
    await client.ready();
    await using other = await subscribe(broker.url, "nothing");
    for (const seq of [5, 6, 9, 8, 10, 0, 1, 4]) {
      await other.client.publishAsync("sensebind/node1/event/cam0/person", JSON.stringify(event(seq)), { qos: 1 });
    }
    await take(events, 8);
    expect(await take(gaps, 2)).toEqual([
      { node: "node1", from: 7, to: 8 },
      { node: "node1", from: 2, to: 3 },
    ]);
  });

  it.skipIf(skip)("what is malformed is counted and ends nothing; fields of a later version are ignored", async () => {
    await using broker = await start();
    await using client = await connect(broker.url);
    const events = client.events();
    await client.ready();
    await using other = await subscribe(broker.url, "nothing");
    const topic = "sensebind/node1/event/cam0/person";
    for (const payload of [
      "",
      "{",
      "null",
      JSON.stringify({ ...event(1), score: 7 }),
      JSON.stringify({ ...event(2), later: 1, reason: "later" }),
    ]) {
      await other.client.publishAsync(topic, payload, { qos: 1 });
    }
    expect(await take(events, 1)).toEqual([event(2)]);
    expect(client.dropped).toEqual({ malformed: 4, overrun: 0 });
  });

  it.skipIf(skip)("asks a node and gets its answer, or its error as an error", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url, { commands });
    await eventually(() => publisher.connected);
    await using client = await connect(broker.url);
    expect(await client.request("node1", "embed", { text: "four" })).toEqual({ space: "test:0000", vector: [4] });
    await expect(client.request("node1", "rules/remove", { name: "x" })).rejects.toMatchObject({
      code: "COMMAND_UNKNOWN",
    });
    await expect(client.request("node1", "embed", { text: "" })).rejects.toMatchObject({ code: "BAD_COMMAND" });
    const nobody = client.request("nobody", "status", {}, { deadline: ms(50) });
    await expect(nobody).rejects.toMatchObject({ code: "COMMAND_TIMEOUT" });
  });

  it.skipIf(skip)("iterables end when the client does", async () => {
    await using broker = await start();
    const client = await connect(broker.url);
    const reading = take(client.events(), 1);
    await client.ready();
    await client[Symbol.asyncDispose]();
    expect(await reading).toEqual([]);
  });
});

const five = brokers[0];

it.skipIf(five.skip)("a named session gets the events that came while its client was away", async () => {
  await using broker = await five.start();
  const session = { name: "reader", keepSeconds: 60 };
  {
    await using client = await connect(broker.url, { session });
    client.events();
    await client.ready();
  }
  await using publisher = await publish(broker.url);
  publisher.event(event(0));
  publisher.event(event(1));
  await publisher.drain(s(5));
  await using client = await connect(broker.url, { session });
  expect((await take(client.events(), 2)).map(({ seq }) => seq)).toEqual([0, 1]);
});

it("a broker that is not there is told in a sentence", async () => {
  await expect(connect("mqtt://127.0.0.1:1")).rejects.toMatchObject({ code: "BROKER_UNREACHABLE" });
});
