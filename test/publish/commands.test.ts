import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { SenseError } from "../../src/core/errors.js";
import type { Log } from "../../src/core/log.js";
import { silent } from "../../src/core/log.js";
import { ms } from "../../src/core/time.js";
import type { CommandOptions } from "../../src/publish/command-server.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { brokers, publish } from "../support/wire.js";

const concepts = new Map<string, unknown>();
const commands: CommandOptions = {
  concept: z.strictObject({ texts: z.array(z.string()) }),
  rule: z.strictObject({ when: z.string() }),
  deadline: ms(300),
  handlers: {
    "concepts/list": () => ({ concepts: Object.fromEntries(concepts) }),
    "concepts/set": ({ name, concept }) => {
      concepts.set(name, concept);
      return {};
    },
    "rules/set": ({ name }) => {
      throw new SenseError("RULE_INVALID", `${name}: 1:1: what is this?`, { hint: "Write something else." });
    },
    "rules/list": () => {
      throw new Error("with a secret path in it");
    },
    embed: () => new Promise(() => {}),
  },
};

/** Asks as an MQTT 5 client would, or with an id where there is only 3.1.1. */
async function asker(url: string, version: 4 | 5) {
  const client = await mqtt.connectAsync(url, { protocolVersion: version });
  await client.subscribeAsync(["sensebind/node1/reply/+", "elsewhere/answers"], { qos: 1 });
  let last = 0;
  return {
    client,
    async ask(name: string, request: object | string): Promise<Record<string, unknown>> {
      const id = `ask-${last++}`;
      const answer = new Promise<Buffer>((resolve) => {
        const listen = (topic: string, payload: Buffer, packet: mqtt.IPublishPacket) => {
          const mine = version === 5 ? packet.properties?.correlationData?.toString() === id : topic.endsWith(`/${id}`);
          if (!mine) return;
          client.off("message", listen);
          resolve(payload);
        };
        client.on("message", listen);
      });
      const sent = typeof request === "string" ? request : JSON.stringify(version === 5 ? request : { id, ...request });
      const properties = { responseTopic: "elsewhere/answers", correlationData: Buffer.from(id) };
      client.publish(`sensebind/node1/command/${name}`, sent, { qos: 1, ...(version === 5 ? { properties } : {}) });
      return JSON.parse((await answer).toString()) as Record<string, unknown>;
    },
    [Symbol.asyncDispose]: () => client.endAsync(true),
  };
}

describe.each(brokers)("commands on $name", ({ start, version, skip }) => {
  it.skipIf(skip)("are done and answered where the sender said", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url, { commands });
    await eventually(() => publisher.connected);
    await using other = await asker(broker.url, version);
    expect(await other.ask("concepts/set", { name: "cat", concept: { texts: ["a cat"] } })).toMatchObject({ ok: true });
    expect(await other.ask("concepts/list", {})).toMatchObject({
      ok: true,
      result: { concepts: { cat: { texts: ["a cat"] } } },
    });
    const status = await other.ask("status", {});
    expect(status).toMatchObject({ ok: true, result: { status: { state: "online" } } });
  });

  it.skipIf(skip)(
    "that are wrong, unknown, failing or late are answered with code and hint, and change nothing",
    async () => {
      await using broker = await start();
      await using publisher = await publish(broker.url, { commands });
      await eventually(() => publisher.connected);
      await using other = await asker(broker.url, version);
      concepts.clear();
      const code = async (name: string, request: object) =>
        ((await other.ask(name, request)).error as { code: string; message: string; hint: string }).code;
      expect(await code("concepts/set", { name: "a/b", concept: { texts: ["x"] } })).toBe("BAD_COMMAND");
      expect(await code("concepts/set", { name: "ok", concept: { texts: ["x"], exec: "rm" } })).toBe("BAD_COMMAND");
      expect(await code("concepts/set", { name: "ok" })).toBe("BAD_COMMAND");
      expect(concepts.size).toBe(0);
      expect(await code("rules/set", { name: "r", rule: { when: "?" } })).toBe("RULE_INVALID");
      expect(await code("reboot", {})).toBe("COMMAND_UNKNOWN");
      expect(await code("__proto__", {})).toBe("COMMAND_UNKNOWN");
      expect(await code("search", { text: "a dog" })).toBe("COMMAND_UNKNOWN");
      expect(await code("embed", { text: "a dog" })).toBe("COMMAND_TIMEOUT");
      const { error } = await other.ask("rules/list", {});
      expect(error).toMatchObject({ code: "COMMAND_FAILED" });
      expect(JSON.stringify(error)).not.toContain("secret");
    },
  );

  it.skipIf(skip)("more than the node takes at once are refused at once, and later ones are done again", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url, { commands });
    await eventually(() => publisher.connected);
    await using other = await asker(broker.url, version);
    const answers = await Promise.all(Array.from({ length: 20 }, () => other.ask("embed", { text: "slow" })));
    const codes = answers.map(({ error }) => (error as { code: string }).code);
    expect(codes.filter((code) => code === "COMMAND_TIMEOUT")).toHaveLength(16);
    expect(codes.filter((code) => code === "COMMAND_BUSY")).toHaveLength(4);
    expect(await other.ask("status", {})).toMatchObject({ ok: true });
  });

  it.skipIf(skip)("that are retained are not done", async () => {
    await using broker = await start();
    await using admin = await asker(broker.url, version);
    concepts.clear();
    const set = JSON.stringify({ name: "old", concept: { texts: ["old"] } });
    await admin.client.publishAsync("sensebind/node1/command/concepts/set", set, { qos: 1, retain: true });
    await using publisher = await publish(broker.url, { commands });
    await eventually(() => publisher.connected);
    expect(await admin.ask("concepts/list", {})).toMatchObject({ ok: true, result: { concepts: {} } });
  });
});

const five = brokers[0];

it.skipIf(five.skip)("an answer never goes where only the node or Home Assistant may write", async () => {
  await using broker = await five.start();
  await using subscriber = await subscribe(broker.url, "#");
  await using publisher = await publish(broker.url, { commands });
  await eventually(() => publisher.connected);
  await using other = await asker(broker.url, 5);
  const forbidden = ["sensebind/node1/event/cam0/person", "sensebind/other/reply/x", "homeassistant/device/x/config"];
  for (const responseTopic of forbidden) {
    await other.client.publishAsync("sensebind/node1/command/status", "{}", { qos: 1, properties: { responseTopic } });
  }
  expect(await other.ask("status", {})).toMatchObject({ ok: true });
  const topics = subscriber.messages.map(({ topic }) => topic);
  expect(topics.filter((topic) => forbidden.includes(topic))).toEqual([]);
});

it("commands are off where anyone could give them", async () => {
  const { resolveBroker, isTrusted } = await import("../../src/publish/broker.js");
  const trusted = (url: string, password?: string) =>
    isTrusted(resolveBroker({ url, ...(password ? { password: { env: "P" } } : {}) }, { P: password }));
  expect(trusted("mqtt://127.0.0.1")).toBe(true);
  expect(trusted("mqtt://[::1]:1883")).toBe(true);
  expect(trusted("mqtt://localhost:1883")).toBe(true);
  expect(trusted("mqtt://192.168.1.2")).toBe(false);
  expect(trusted("mqtt://127.evil.example")).toBe(false);
  expect(trusted("mqtt://192.168.1.2", "secret")).toBe(true);
  expect(trusted("mqtt://user:secret@192.168.1.2")).toBe(true);
  const warnings: string[] = [];
  const log: Log = { ...silent, warn: (_fields, message) => warnings.push(message) };
  await using publisher = await publish("mqtt://192.0.2.1:1", { commands }, log);
  expect(publisher.connected).toBe(false);
  expect(warnings[0]).toContain("commands are off");
});
