import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { connect } from "../../src/client/index.js";
import { s } from "../../src/core/time.js";
import { parseTopic } from "../../src/publish/topics.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { embedding, event, publish } from "../support/wire.js";

const example = (name: string): string =>
  readFileSync(new URL(`../../examples/bridges/${name}`, import.meta.url), "utf8");

describe.skipIf(noMosquitto)(`examples/bridges${mosquittoNote}`, () => {
  it("the mosquitto bridge takes events, alerts, states and statuses up and commands down, and leaves vectors", async () => {
    await using upstream = await startMosquitto();
    const bridge = example("mosquitto-bridge.conf")
      .replace("UPSTREAM_HOST", "127.0.0.1")
      .replace("UPSTREAM_PORT", String(upstream.port));
    const config = ["listener $PORT 127.0.0.1", "allow_anonymous true", ...bridge.split("\n")];
    await using board = await startMosquitto({ config });
    await using above = await subscribe(upstream.url);
    await using publisher = await publish(board.url, {
      commands: { concept: z.unknown(), rule: z.unknown(), handlers: {} },
    });
    await above.until(({ topic }) => topic === "sensebind/node1/status");
    publisher.embedding(embedding(1));
    publisher.event(event(0));
    publisher.state("cam0", "person", { v: 1, on: true, score: 1, since: 0 });
    await above.until(({ topic }) => topic === "sensebind/node1/event/cam0/person");
    await above.until(({ topic }) => topic === "sensebind/node1/state/cam0/person");
    expect(above.messages.filter(({ topic }) => topic.endsWith("/embedding"))).toEqual([]);
    await using client = await connect(upstream.url);
    expect(await client.request("node1", "status")).toMatchObject({ status: { state: "online" } });
  });

  it("a shared subscription gives each event to one of the workers", async () => {
    await using broker = await startMosquitto();
    const shared = "$share/archive/sensebind/+/event/#";
    await using one = await subscribe(broker.url, shared, { protocolVersion: 5 });
    await using two = await subscribe(broker.url, shared, { protocolVersion: 5 });
    await using publisher = await publish(broker.url);
    for (let seq = 0; seq < 100; seq++) publisher.event(event(seq));
    expect(await publisher.drain(s(10))).toBe(true);
    await eventually(() => one.messages.length + two.messages.length === 100);
    const seqs = [...one.messages, ...two.messages].map(({ json }) => json.seq as number).sort((a, b) => a - b);
    expect(seqs).toEqual([...Array(100).keys()]);
    expect(Math.min(one.messages.length, two.messages.length)).toBeGreaterThan(0);
  });
});

it("the Node-RED flow reads topics of the contract, and its function lets each begin and end through once", () => {
  const nodes = JSON.parse(example("node-red-flow.json")) as Record<string, string>[];
  const inputs = nodes.filter(({ type }) => type === "mqtt in").map(({ topic }) => topic!);
  expect(inputs.map((topic) => parseTopic(topic.replaceAll("+", "x"))?.kind)).toEqual(["event", "alert"]);
  const ids = new Set(nodes.map(({ id }) => id));
  for (const { wires } of nodes as unknown as { wires?: string[][] }[]) {
    for (const target of wires?.flat() ?? []) expect(ids).toContain(target);
  }
  const { func } = nodes.find(({ type }) => type === "function")!;
  const memory = new Map<string, unknown>();
  const context = {
    get: (key: string) => memory.get(key),
    set: (key: string, value: unknown) => memory.set(key, value),
  };
  // Node-RED runs it in a function that has a `node` of its own.
  const step = new Function("msg", "context", "node", func!) as (msg: object, context: object) => object | null;
  const passes = (message: object) => step({ payload: message }, context) !== null;
  expect([event(0), event(0), event(1, { phase: "update" }), event(2, { phase: "end" })].map(passes)).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
