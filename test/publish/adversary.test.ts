import { describe, expect, it } from "vitest";
import { s } from "../../src/core/time.js";
import { acknowledge, adversary } from "../support/adversary.js";
import { logbook } from "../support/logbook.js";
import { eventually } from "../support/subscriber.js";
import { embedding, event, publish } from "../support/wire.js";

const seqs = (messages: readonly Record<string, unknown>[]) => messages.map(({ seq }) => seq as number);

/** Does something again and again until the end of the block. */
function every(milliseconds: number, work: () => void): AsyncDisposable {
  const timer = setInterval(work, milliseconds);
  return { [Symbol.asyncDispose]: async () => clearInterval(timer) };
}

describe("against a broker that is no friend", () => {
  it("that resets the link in the middle of every resend: in order, nothing acknowledged comes again, nothing is lost", async () => {
    const window = 4;
    const sent: number[][] = [];
    await using broker = await adversary({
      connack: () => ({ properties: { receiveMaximum: window } }),
      publish(packet, side) {
        if (!packet.topic.includes("/event/")) return acknowledge(packet, side);
        sent[side.number] ??= [];
        const own = sent[side.number]!;
        own.push((JSON.parse(packet.payload.toString()) as { seq: number }).seq);
        if (own.length === 6) side.socket.resetAndDestroy();
        else acknowledge(packet, side);
      },
    });
    await using publisher = await publish(broker.url);
    for (let seq = 0; seq < 30; seq++) publisher.event(event(seq));
    await eventually(() => publisher.pending === 0);
    expect(sent.length).toBeGreaterThan(5);
    expect(new Set(sent.flat())).toEqual(new Set(Array(30).keys()));
    for (const [number, own] of sent.entries()) {
      expect(own).toEqual(own.map((_, i) => own[0]! + i));
      // A message beyond the window goes out only when an acknowledgement has come in for an older one.
      const before = sent[number - 1];
      if (before) expect(own[0]).toBeGreaterThanOrEqual(before[0]! + before.length - window);
    }
  });

  it("that never acknowledges: the link is cut and tried again, nothing is lost, the pipeline is not held up", async () => {
    let silent = true;
    await using broker = await adversary({
      publish: (packet, side) => {
        if (!silent) acknowledge(packet, side);
      },
    });
    const { log, lines } = logbook();
    await using publisher = await publish(broker.url, {}, log);
    for (let seq = 0; seq < 2000; seq++) publisher.event(event(seq));
    await eventually(() => broker.connections >= 3);
    expect(lines.join("\n")).toContain("the broker acknowledges nothing");
    expect(publisher.pending).toBe(2000);
    silent = false;
    await eventually(() => publisher.pending === 0);
    expect(new Set(seqs(broker.on("/event/")))).toEqual(new Set(Array(2000).keys()));
  });

  it("that acknowledges nothing is found out by a node that says little, too", async () => {
    await using broker = await adversary({
      publish: (packet, side) => {
        if (side.number > 0 || !packet.topic.includes("/event/")) acknowledge(packet, side);
      },
    });
    await using publisher = await publish(broker.url);
    await eventually(() => publisher.connected);
    let seq = 0;
    await using _ = every(100, () => publisher.event(event(seq++)));
    await eventually(() => broker.connections === 2);
  });

  it("that never answers CONNECT: the attempt is given up and made again", async () => {
    await using broker = await adversary({ connack: ({ number }) => (number === 0 ? undefined : {}) });
    await using publisher = await publish(broker.url);
    publisher.event(event(0));
    await eventually(() => publisher.pending === 0);
    expect(broker.connections).toBe(2);
  });

  it.each([
    [134, "bad user name or password (0x86)"],
    [135, "not authorized (0x87)"],
    [136, "the broker is not available (0x88)"],
    [138, "banned by the broker (0x8a)"],
    [151, "quota exceeded (0x97)"],
    [159, "connections come too fast (0x9f)"],
  ])("that refuses with reason %i says so in words, and is tried again", async (reasonCode, words) => {
    await using broker = await adversary({ connack: ({ number }) => (number < 2 ? { reasonCode } : {}) });
    const { log, lines } = logbook();
    await using publisher = await publish(broker.url, {}, log);
    publisher.event(event(0));
    await eventually(() => publisher.pending === 0);
    expect(lines.filter((line) => line.includes(words))).toHaveLength(2);
  });

  it.each([
    [0x8b, "the broker is shutting down (0x8b)"],
    [0x8d, "keep-alive timeout (0x8d)"],
    [0x8e, "another client connected with the same name (0x8e)"],
    [0x93, "more messages unacknowledged than the broker allows (0x93)"],
    [0x95, "the packet is too large (0x95)"],
    [0x97, "quota exceeded (0x97)"],
    [0x98, "closed by an administrator (0x98)"],
    [0x9d, "the server has moved (0x9d)"],
    [0xa0, "the connection has lasted as long as it may (0xa0)"],
  ])("that disconnects with reason %i says so in words, and everything arrives later", async (reasonCode, words) => {
    await using broker = await adversary({
      publish(packet, side) {
        if (side.number > 0 || !packet.topic.includes("/event/")) return acknowledge(packet, side);
        side.send({ cmd: "disconnect", reasonCode });
        side.socket.end();
      },
    });
    const { log, lines } = logbook();
    await using publisher = await publish(broker.url, {}, log);
    for (let seq = 0; seq < 5; seq++) publisher.event(event(seq));
    await eventually(() => publisher.pending === 0);
    expect(lines.join("\n")).toContain(words);
    expect(new Set(seqs(broker.on("/event/")))).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  it("that refuses one message: it is counted and told in the status, the others go on", async () => {
    await using broker = await adversary({
      publish: (packet, side) => acknowledge(packet, side, packet.payload.toString().includes('"seq":3,') ? 0x87 : 0),
    });
    const { log, lines } = logbook();
    await using publisher = await publish(broker.url, {}, log);
    for (let seq = 0; seq < 6; seq++) publisher.event(event(seq));
    await eventually(() => publisher.pending === 0);
    expect(publisher.losses).toEqual({ embeddings: 0, updates: 0, events: 1 });
    expect(lines.join("\n")).toContain("not authorized (0x87)");
    await eventually(() => JSON.stringify(broker.on("node1/status")).includes('"events":1'));
  });

  it("that takes two messages at once never has three", async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    await using broker = await adversary({
      connack: () => ({ properties: { receiveMaximum: 2 } }),
      publish(packet, side) {
        waiting.push(() => acknowledge(packet, side));
        most = Math.max(most, waiting.length);
        setImmediate(() => waiting.shift()?.());
      },
    });
    await using publisher = await publish(broker.url);
    for (let seq = 0; seq < 200; seq++) publisher.event(event(seq));
    publisher.state("cam0", "person", { v: 1, on: true, score: 1, since: 0 });
    await eventually(() => publisher.pending === 0);
    expect(most).toBe(2);
    expect(seqs(broker.on("/event/"))).toEqual([...Array(200).keys()]);
  });

  it("that takes packets of 256 bytes gets none that is larger: vectors as int8, events without their explanation", async () => {
    const limit = 256;
    let largest = 0;
    await using broker = await adversary({
      connack: () => ({ properties: { maximumPacketSize: limit } }),
      publish(packet, side) {
        largest = Math.max(largest, 1 + (packet.length! > 127 ? 2 : 1) + packet.length!);
        if (packet.qos === 1) acknowledge(packet, side);
      },
    });
    await using publisher = await publish(broker.url, {
      about: { version: "1", space: "t", runtime: { name: "r", provider: "c" } },
    });
    await eventually(() => publisher.connected);
    const explain = { cosine: 0.2, background: { mean: 0, deviation: 0.1 }, bestPrompt: "a photo of a person" };
    const short = {
      id: "e",
      sensor: "c",
      concept: "p",
      space: "t",
      from: 1,
      to: 2,
      at: 3,
      latencyUs: 4,
      score: 1,
    } as const;
    publisher.event(event(0, { ...short, explain }));
    publisher.embedding(embedding(1, 64));
    publisher.embedding(embedding(2, 384));
    publisher.event(event(3, { id: "x".repeat(300) }));
    await eventually(() => publisher.pending === 0 && broker.published.length === 3);
    expect(largest).toBeLessThanOrEqual(limit);
    expect(broker.on("/event/")).toEqual([event(0, short)]);
    const vector = broker.published.find(({ packet }) => packet.topic.endsWith("/embedding"))!.packet.payload as Buffer;
    expect([vector.readUInt8(4), vector.length]).toEqual([2, 40 + 64]);
    expect(publisher.losses).toEqual({ embeddings: 1, updates: 0, events: 1 });
    expect(broker.connections).toBe(1);
  });

  it("that knows two topic aliases is asked for no third, and every message has its topic", async () => {
    const topics: string[] = [];
    await using broker = await adversary({
      connack: () => ({ properties: { topicAliasMaximum: 2 } }),
      publish(packet, side) {
        const alias = packet.properties?.topicAlias;
        expect(alias ?? 1).toBeLessThanOrEqual(2);
        if (packet.topic === "" && alias !== undefined) topics.push(aliases.get(alias)!);
        else topics.push(packet.topic);
        if (alias !== undefined && packet.topic !== "") aliases.set(alias, packet.topic);
        acknowledge(packet, side);
      },
    });
    const aliases = new Map<number, string>();
    await using publisher = await publish(broker.url);
    for (let seq = 0; seq < 30; seq++) publisher.event(event(seq, { sensor: `cam${seq % 4}` }));
    await eventually(() => publisher.pending === 0);
    const expected = Array.from({ length: 30 }, (_, seq) => `sensebind/node1/event/cam${seq % 4}/person`);
    expect(topics.filter((topic) => topic.includes("/event/"))).toEqual(expected);
  });

  it("that has neither retained messages nor QoS 1 is sent neither", async () => {
    await using broker = await adversary({
      connack: () => ({ properties: { retainAvailable: false, maximumQoS: 0 } }),
    });
    await using publisher = await publish(broker.url);
    publisher.event(event(0));
    publisher.state("cam0", "person", { v: 1, on: true, score: 1, since: 0 });
    await publisher.drain(s(5));
    await eventually(() => broker.published.length === 4);
    expect(broker.published.every(({ packet }) => packet.qos === 0 && !packet.retain)).toBe(true);
  });
});
