import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { expect, it } from "vitest";
import { seeded, shuffle } from "../../src/core/random.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";
import { eventually } from "../support/subscriber.js";

const total = 50_000;
const nodeKills = 10;
const brokerKills = 4;
const freezes = 4;

interface Heard {
  readonly id: string;
  readonly phase: string;
  readonly seq: number;
  readonly reason?: string;
}

/**
 * The way of the node to the broker. It is shut while the subscriber is not there: what a broker is told while nobody
 * listens is the broker's to keep, not the node's.
 */
async function gate(port: number) {
  let isOpen = true;
  let attempts = 0;
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    attempts++;
    near.on("error", () => {});
    if (!isOpen) return void near.destroy();
    const far = createConnection(port, "127.0.0.1");
    far.on("error", () => {});
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far);
    far.pipe(near);
    ends.add(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get attempts() {
      return attempts;
    },
    set open(open: boolean) {
      isOpen = open;
    },
    [Symbol.dispose]: () => {
      for (const end of ends) end.destroy();
      server.close();
    },
  };
}

const script = fileURLToPath(new URL("soak-node.ts", import.meta.url));

it.skipIf(noMosquitto)(
  `${total} events through a broker that is killed, frozen and restarted, from a node killed -9 ten times: each exactly once after deduplication, in order, every begin with its end${mosquittoNote}`,
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "sensebind-soak-"));
    await using broker = await startMosquitto({
      config: ["listener $PORT 127.0.0.1", "allow_anonymous true", "max_inflight_messages 0", "max_inflight_bytes 0"],
    });
    using way = await gate(broker.port);

    const bySeq = new Map<number, { topic: string; payload: string }>();
    const order = new Map<string, number[]>();
    let differing = 0;
    // QoS 0: a subscriber that owes mosquitto no acknowledgement gets all that was written to it, even after a kill -9.
    const subscriber = mqtt.connect(broker.url, { protocolVersion: 4, reconnectPeriod: 20, resubscribe: false });
    let subscribed = 0;
    subscriber.on("connect", () => {
      void subscriber.subscribeAsync("sensebind/node1/event/#", { qos: 0 }).then(() => {
        subscribed++;
        way.open = true;
      });
    });
    subscriber.on("message", (topic, bytes) => {
      const payload = bytes.toString();
      const { seq } = JSON.parse(payload) as Heard;
      const before = bySeq.get(seq);
      if (before !== undefined) {
        if (before.topic !== topic || before.payload !== payload) differing++;
        return;
      }
      bySeq.set(seq, { topic, payload });
      const seqs = order.get(topic);
      if (seqs === undefined) order.set(topic, [seq]);
      else seqs.push(seq);
    });
    await eventually(() => subscribed === 1);

    let node: ChildProcess;
    const startNode = () => {
      node = spawn(process.execPath, ["--import", "tsx", script, folder, way.url, String(total)], {
        stdio: ["ignore", "inherit", "inherit"],
      });
    };
    startNode();

    const acts = {
      async killNode() {
        node.kill("SIGKILL");
        await once(node, "exit");
        startNode();
      },
      async killBroker() {
        const before = subscribed;
        way.open = false;
        await broker.kill();
        await broker.start();
        await eventually(() => subscribed > before);
      },
      async freezeBroker() {
        const before = way.attempts;
        broker.freeze();
        await eventually(() => way.attempts > before);
        broker.thaw();
      },
    };
    const random = seeded(7);
    const plan = shuffle(
      [
        ...Array<keyof typeof acts>(nodeKills).fill("killNode"),
        ...Array<keyof typeof acts>(brokerKills).fill("killBroker"),
        ...Array<keyof typeof acts>(freezes).fill("freezeBroker"),
      ],
      random,
    );
    for (const [i, act] of plan.entries()) {
      const when = Math.floor(((i + random()) * total * 0.95) / plan.length);
      await eventually(() => bySeq.size >= when, `${when} events before ${act}, now ${bySeq.size}`, 60_000);
      await acts[act]();
    }
    const [code] = (await once(node!, "exit")) as [number];
    expect(code).toBe(0);
    await eventually(() => bySeq.size >= total);
    await subscriber.endAsync(true);
    await rm(folder, { recursive: true });

    expect(differing).toBe(0);
    const last = Math.max(...bySeq.keys());
    expect(bySeq.size).toBe(last + 1);
    expect(last + 1).toBeGreaterThanOrEqual(total);
    for (const seqs of order.values()) expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    const openIds = new Set<string>();
    const restarts: Heard[] = [];
    for (let seq = 0; seq <= last; seq++) {
      const heard = JSON.parse(bySeq.get(seq)!.payload) as Heard;
      if (heard.phase === "begin") openIds.add(heard.id);
      else expect(openIds.has(heard.id)).toBe(true);
      if (heard.phase === "end") openIds.delete(heard.id);
      if (heard.reason === "restart") restarts.push(heard);
    }
    expect([...openIds]).toEqual([]);
    expect(restarts.length).toBeGreaterThan(0);
  },
  300_000,
);
