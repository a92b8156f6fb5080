import { describe, test } from "vitest";
import { s } from "../../src/core/time.js";
import { type EmbeddedBroker, startBroker } from "../../src/publish/aedes.js";
import { publisherContract, type WireMessage, type WireUnderTest } from "../../src/testing/publisher-contract.js";
import {
  freePort,
  type MosquittoOptions,
  mosquittoNote,
  noMosquitto,
  startMosquitto,
  websockets,
} from "../support/mosquitto.js";
import { subscribe } from "../support/subscriber.js";
import { publish } from "../support/wire.js";

interface Broker extends AsyncDisposable {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

async function mosquitto(options: MosquittoOptions): Promise<Broker> {
  const broker = await startMosquitto(options);
  return {
    url: broker.url,
    stop: () => broker.kill(),
    start: () => broker.start(),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

async function aedes(): Promise<Broker> {
  const port = await freePort();
  let broker: EmbeddedBroker | undefined = await startBroker({ port });
  const stop = async (): Promise<void> => {
    await broker?.[Symbol.asyncDispose]();
    broker = undefined;
  };
  return {
    url: broker.url,
    stop,
    start: async () => {
      broker = await startBroker({ port });
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function wireOn(broker: Broker): Promise<WireUnderTest> {
  const subscriber = await subscribe(broker.url);
  const publisher = await publish(broker.url);
  return {
    publisher,
    received: subscriber.messages,
    async retained() {
      await using late = await subscribe(broker.url);
      // Retained messages come before what is published after the subscription.
      await late.client.publishAsync("sensebind/other/mark", "", { qos: 1 });
      await late.until(({ topic }) => topic === "sensebind/other/mark");
      return late.messages.filter(
        ({ packet, topic }) => packet.retain && topic !== "sensebind/other/mark",
      ) as WireMessage[];
    },
    stopBroker: () => broker.stop(),
    async startBroker() {
      const back = new Promise<void>((resolve) => subscriber.client.once("connect", () => resolve()));
      await broker.start();
      await back;
      await subscriber.client.subscribeAsync("sensebind/#", { qos: 1 });
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([publisher[Symbol.asyncDispose](), new Promise((done) => setTimeout(done, s(2) / 1e3))]);
      await subscriber[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}

const brokers = [
  ["mosquitto, MQTT 5", noMosquitto, () => mosquitto({})],
  ["mosquitto over a WebSocket", noMosquitto, () => mosquitto({ config: websockets, scheme: "ws" })],
  ["aedes, MQTT 3.1.1", false, aedes],
] as const;

describe.each(brokers)("a publisher on %s", (name, skip, start) => {
  const note = skip ? `${name}${mosquittoNote}: ` : "";
  for (const { promise, check } of publisherContract(async () => wireOn(await start()))) {
    test.skipIf(skip)(`${note}${promise}`, check, 60_000);
  }
});
