import fc from "fast-check";
import { type IPublishPacket, parser } from "mqtt-packet";
import { describe, expect, it, test } from "vitest";
import type { Packet } from "../../src/publish/packet.js";
import { PacketIds } from "../../src/publish/packet-ids.js";
import { packetSize } from "../../src/publish/packet-size.js";
import { publishPacket } from "../../src/publish/publish-packet.js";
import { Sender } from "../../src/publish/sender.js";
import { TopicAliases } from "../../src/publish/topic-aliases.js";

/** What mqtt-packet, a parser that is not ours, reads from bytes. */
function read(bytes: Buffer, version: 4 | 5): IPublishPacket[] {
  const packets: IPublishPacket[] = [];
  const reading = parser({ protocolVersion: version });
  reading.on("packet", (packet) => void packets.push(packet as IPublishPacket));
  reading.on("error", (error) => {
    throw error;
  });
  reading.parse(bytes);
  return packets;
}

const text = fc.string({ unit: "grapheme", maxLength: 300 }).filter((value) => !/[\uD800-\uDFFF\0]/.test(value));
const packets: fc.Arbitrary<Packet> = fc.record(
  {
    topic: text.filter((topic) => topic.length > 0 && !/[+#]/.test(topic)),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: 0, max: 20_000 }).map((n) => new Uint8Array(n).fill(7)),
    ),
    qos: fc.constantFrom(0, 1),
    retain: fc.boolean(),
    contentType: text,
    userProperties: fc.dictionary(
      text.filter((name) => name !== "__proto__"),
      text,
      { maxKeys: 3 },
    ),
    correlationData: fc.uint8Array({ maxLength: 40 }),
  },
  { requiredKeys: ["topic", "payload", "qos", "retain"] },
);

describe("a PUBLISH packet", () => {
  it("says, to another's parser, what the message says, in no more bytes than were foretold", () => {
    fc.assert(
      fc.property(packets, fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(4, 5), (packet, id, version) => {
        const { topic, payload, qos, retain } = packet;
        const bytes = Buffer.concat(publishPacket(packet, { version, id, qos, retain, topic, alias: undefined }));
        const [found, ...more] = read(bytes, version);
        expect(more).toEqual([]);
        expect(found).toMatchObject({ cmd: "publish", topic, qos, retain, dup: false });
        expect(Buffer.compare(found!.payload as Buffer, payload)).toBe(0);
        expect(found!.messageId).toBe(qos === 1 ? id : undefined);
        expect(bytes.length).toBeLessThanOrEqual(packetSize(packet));
        if (version === 4) return;
        const { contentType, userProperties = {}, correlationData } = packet;
        expect(found!.properties?.contentType).toBe(contentType);
        expect({ ...found!.properties?.userProperties }).toEqual(userProperties);
        expect(found!.properties?.correlationData).toEqual(correlationData && Buffer.from(correlationData));
      }),
    );
  });

  it("carries an alias in place of a topic that the broker knows", () => {
    const packet: Packet = { topic: "a/b", payload: Buffer.from("x"), qos: 1, retain: false };
    const out = { version: 5, id: 1, qos: 1, retain: false, topic: "", alias: 3 } as const;
    const [found] = read(Buffer.concat(publishPacket(packet, out)), 5);
    expect(found).toMatchObject({ topic: "", properties: { topicAlias: 3 } });
  });
});

test("topic aliases: whoever follows them knows every topic, and no alias is larger than the broker takes", () => {
  const topics = fc.array(fc.constantFrom(..."abcdefgh"), { maxLength: 200 });
  fc.assert(
    fc.property(topics, fc.integer({ min: 0, max: 5 }), (sent, most) => {
      const aliases = new TopicAliases(most);
      const broker = new Map<number, string>();
      const understood = sent.map((wanted) => {
        const { topic, alias } = aliases.use(wanted);
        if (alias === undefined) return topic;
        expect(alias >= 1 && alias <= most).toBe(true);
        if (topic !== "") broker.set(alias, topic);
        return broker.get(alias);
      });
      expect(understood).toEqual(sent);
    }),
  );
});

describe("packet identifiers", () => {
  it("are 1 to 65,535, and none is given while it is in use", () => {
    const ids = new PacketIds();
    expect(ids.allocate()).toBe(1);
    const rest = Array.from({ length: 65_534 }, () => ids.allocate());
    expect(new Set([1, ...rest]).size).toBe(65_535);
    expect(ids.allocate()).toBeNull();
    ids.deallocate(77);
    expect(ids.register(78)).toBe(false);
    expect(ids.allocate()).toBe(77);
    ids.clear();
    expect(ids.allocate()).toBe(78);
  });
});

describe("the sender", () => {
  const limits = { receiveMaximum: 10, maximumPacketSize: 1e6, retain: true, maximumQos: 1 } as const;
  const packet: Packet = { topic: "t", payload: new Uint8Array(2000), qos: 1, retain: true };
  /** A stream that notes what is written, and whether it was corked then. */
  function pipe() {
    const writes: boolean[] = [];
    let depth = 0;
    const stream = {
      cork: () => void depth++,
      uncork: () => void depth--,
      write: (_chunk: Buffer, done?: unknown) => {
        writes.push(depth > 0);
        if (typeof done === "function") queueMicrotask(() => done());
        return true;
      },
    };
    return { stream, writes, corked: () => depth };
  }

  it("hands over everything of one turn in one write, and no acknowledgement twice", async () => {
    const { stream, writes, corked } = pipe();
    const sender = new Sender(stream, { ids: new PacketIds(), version: 5, limits, aliases: 0 });
    const answers: unknown[] = [];
    for (let i = 0; i < 3; i++) sender.send(packet, (refusal) => answers.push(refusal?.code ?? "taken"));
    expect(corked()).toBe(1);
    await Promise.resolve();
    expect([corked(), writes.length, writes.every(Boolean)]).toEqual([0, 6, true]);
    for (const [id, code] of [
      [2, 0],
      [1, 0x87],
      [2, 0],
      [99, 0],
      [3, 16],
    ] as const)
      sender.acknowledged(id, code);
    expect(answers).toEqual(["taken", 0x87, "taken"]);
  });

  it("sends QoS 0 where the broker takes no more, and is done when it is written", async () => {
    const { stream } = pipe();
    const ids = new PacketIds();
    const sender = new Sender(stream, { ids, version: 5, limits: { ...limits, maximumQos: 0 }, aliases: 0 });
    await new Promise<void>((resolve) => sender.send(packet, () => resolve()));
    expect(ids.getLastAllocated()).toBe(0);
  });
});
