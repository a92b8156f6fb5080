import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { Alert } from "../core/alert.js";
import { type Embedding, normalize } from "../core/embedding.js";
import { Event } from "../core/event.js";
import { micros, s } from "../core/time.js";
import { decodeEmbedding } from "../publish/embedding-format.js";
import { State, Status } from "../publish/messages.js";
import type { Publisher } from "../publish/publisher.js";
import { topics } from "../publish/topics.js";
import type { ContractCase } from "./runtime-contract.js";

/** A message as a client that is not ours got it. */
export interface WireMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** A publisher named `node1` with its broker. */
export interface WireUnderTest extends AsyncDisposable {
  readonly publisher: Publisher;
  /** What a client got that has been subscribed to `sensebind/#` from the start, in order. */
  readonly received: readonly WireMessage[];
  /** What a client gets at once that comes now. */
  retained(): Promise<readonly WireMessage[]>;
  /** Takes the broker away, and brings it back without its memory. */
  stopBroker(): Promise<void>;
  /** Resolves when the client is subscribed again; the publisher may have been faster. */
  startBroker(): Promise<void>;
}

const names = topics("node1");
const json = ({ payload }: WireMessage): unknown => JSON.parse(Buffer.from(payload).toString());

/** What every publisher must keep, whatever the broker: run each case as a test of its own. */
export function publisherContract(open: () => Promise<WireUnderTest>): readonly ContractCase[] {
  const during = (promise: string, body: (wire: WireUnderTest) => Promise<void>): ContractCase => ({
    promise,
    async check() {
      await using wire = await open();
      await body(wire);
    },
  });
  const on = ({ received }: WireUnderTest, topic: string) => received.filter((message) => message.topic === topic);
  return [
    during("events arrive on their topics, once, in order, as the contract writes them", async (wire) => {
      const events = Array.from({ length: 300 }, (_, seq) => event(seq));
      for (const one of events) wire.publisher.event(one);
      const topic = names.event("cam0", "person");
      await until(() => on(wire, topic).length >= events.length);
      assert.deepEqual(
        on(wire, topic).map((message) => Event.parse(json(message))),
        events,
      );
      await until(() => wire.publisher.pending === 0);
    }),
    during("alerts, and a rule's own text, arrive below the node's root", async (wire) => {
      wire.publisher.alert(alert);
      wire.publisher.say("lights/hall", "on", { retain: false });
      await until(() => on(wire, `${names.root}/action/lights/hall`).length === 1);
      assert.deepEqual(
        on(wire, names.alert("intruder")).map((message) => Alert.parse(json(message))),
        [alert],
      );
      const [said] = on(wire, `${names.root}/action/lights/hall`);
      assert.equal(Buffer.from(said!.payload).toString(), "on");
    }),
    during("states and the status stay for a client that comes later; events do not", async (wire) => {
      const state = State.parse({ v: 1, on: true, score: 0.5, since: 1 });
      wire.publisher.event(event(0));
      wire.publisher.state("cam0", "person", state);
      await until(() => wire.publisher.connected && wire.publisher.pending === 0);
      const kept = new Map((await wire.retained()).map((message) => [message.topic, json(message)]));
      assert.deepEqual(kept.get(names.state("cam0", "person")), state);
      assert.equal(Status.parse(kept.get(names.status)).state, "online");
      assert.equal(kept.has(names.event("cam0", "person")), false);
    }),
    during("an embedding arrives as the binary message that the contract describes, bit for bit", async (wire) => {
      await until(() => wire.publisher.connected);
      wire.publisher.embedding(embedding);
      await until(() => on(wire, names.embedding("cam0")).length === 1);
      const { vector, from, to, seq, modality } = decodeEmbedding(on(wire, names.embedding("cam0"))[0]!.payload);
      assert.deepEqual({ from, to, seq, modality }, { from: 5, to: 9, seq: 3, modality: "vision" });
      assert.deepEqual([...vector], [...embedding.vector]);
    }),
    during("nothing that is published while the broker is away is lost, nor comes out of order", async (wire) => {
      await until(() => wire.publisher.connected);
      await wire.stopBroker();
      await until(() => !wire.publisher.connected);
      for (let seq = 0; seq < 200; seq++) wire.publisher.event(event(seq));
      assert.equal(wire.publisher.pending, 200);
      await wire.startBroker();
      for (let seq = 200; seq < 250; seq++) wire.publisher.event(event(seq));
      await until(() => wire.publisher.pending === 0);
      const seqs = () => on(wire, names.event("cam0", "person")).map((message) => Event.parse(json(message)).seq);
      await until(() => seqs().at(-1) === 249);
      const seen = seqs();
      assert.deepEqual(
        seen,
        seen.map((_, i) => seen[0]! + i),
        "in order",
      );
      assert.deepEqual(wire.publisher.losses, { embeddings: 0, updates: 0, events: 0 });
    }),
    during("a broker that comes back empty is told again what is retained", async (wire) => {
      const state = State.parse({ v: 1, on: false, score: 0, since: 7 });
      wire.publisher.state("cam0", "person", state);
      await until(() => wire.publisher.connected && wire.publisher.pending === 0);
      await wire.stopBroker();
      await until(() => !wire.publisher.connected);
      await wire.startBroker();
      await until(() => wire.publisher.connected);
      const deadline = performance.now() + patience;
      for (let found = false; !found; ) {
        assert.ok(performance.now() < deadline, "the state did not come back");
        const kept = await wire.retained();
        found = kept.some(({ topic }) => topic === names.state("cam0", "person"));
      }
    }),
    during("what is lost is counted: embeddings while there is no broker", async (wire) => {
      await until(() => wire.publisher.connected);
      await wire.stopBroker();
      await until(() => !wire.publisher.connected);
      for (let i = 0; i < 3; i++) wire.publisher.embedding(embedding);
      assert.deepEqual(wire.publisher.losses, { embeddings: 3, updates: 0, events: 0 });
    }),
    during("who leaves says so last, after everything was sent", async (wire) => {
      for (let seq = 0; seq < 50; seq++) wire.publisher.event(event(seq));
      assert.equal(await wire.publisher.drain(s(10)), true);
      await until(() => on(wire, names.status).some((message) => Status.parse(json(message)).state === "offline"));
      assert.equal(wire.received.at(-1)?.topic, names.status);
      assert.equal(on(wire, names.event("cam0", "person")).length, 50);
    }),
  ];
}

/** Time for anything to come true, in ms. */
const patience = 20_000;

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + patience;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `not so after ${patience} ms: ${holds}`);
    await wait(5);
  }
}

const event = (seq: number): Event => ({
  ...{ v: 1, id: `event-${seq >> 1}`, seq, node: "node1", sensor: "cam0", modality: "vision", concept: "person" },
  ...{ phase: seq % 2 === 0 ? "begin" : "end", score: 0.75, from: 1, to: 2, at: 2, space: "test:0", latencyUs: 3 },
});

const alert: Alert = {
  ...{ v: 1, id: "alert-1", seq: 0, node: "node1", rule: "intruder", phase: "begin", at: 2 },
  ...{ because: ["event-0"], values: { count: 3 } },
};

const embedding: Embedding = {
  ...{ sensor: "cam0", modality: "vision", seq: 3, from: micros(5), to: micros(9), space: "test:0" },
  vector: normalize(Float32Array.of(3, -4, 12, 0.5)),
};
