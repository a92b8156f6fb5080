import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { recordKitchen } from "../../examples/gas-sensor/recording.js";
import { bundleInUse } from "../../src/cli/calibrate/installed.js";
import { openLiveCalibrations } from "../../src/cli/calibrate/live.js";
import { connect } from "../../src/client/index.js";
import { parseConfig } from "../../src/config.js";
import { silent } from "../../src/core/log.js";
import { micros } from "../../src/core/time.js";
import { run } from "../../src/pipeline/run.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";

const minutes = 20;
const folder = await mkdtemp(join(tmpdir(), "sensebind-binding-"));
const [state, recording, nano] = [join(folder, "state"), join(folder, "kitchen.mcap"), resolve("models/nano")];

/** A node with a camera and a sensor that no encoder knows, on a broker; it runs until it is disposed. */
async function startNode(broker: string) {
  const device = "./hurried.ts";
  const options = { path: recording, speed: 100, period: minutes * 60, pace: "realtime" };
  const window = { length: "2s", hop: "2s" };
  const config = parseConfig(
    JSON.stringify({
      ...{ node: "kitchen", broker, bundle: nano, calibrate: { share: 1, time: "6s" } },
      sensors: {
        camera: { device, modality: "vision", options: { ...options, sensor: "camera" }, window },
        gas: { device, modality: "other", options: { ...options, sensor: "gas" }, bind: "camera" },
      },
      concepts: { frying: "frying", cleaning: "cleaning" },
      rules: { clean: { when: "gas.frying then gas.cleaning within 1h" } },
    }),
    "kitchen.yaml",
  );
  const stop = new AbortController();
  const running = run(config, {
    ...{
      signal: stop.signal,
      clock: { now: () => micros(Date.now() * 1e3) },
      log: silent,
      version: "0",
      environment: {},
    },
    folder: resolve("test/support"),
    folders: { bundle: await bundleInUse(state, nano), state },
    calibrations: openLiveCalibrations,
  });
  const first = await running.next();
  if (first.done || first.value.kind !== "open") throw new Error("the node did not open");
  const ended = (async () => {
    for await (const _ of running);
  })();
  const client = await connect(broker);
  return {
    client,
    unbound: first.value.unbound,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
      await client[Symbol.asyncDispose]();
    },
  };
}

test.skipIf(noMosquitto)(
  `a sensor without an encoder is bound by command while the node runs, answers to words from then on, also after a restart, and is let go again${mosquittoNote}`,
  { timeout: 240_000 },
  async () => {
    await recordKitchen(recording, { minutes });
    await using broker = await startMosquitto();
    {
      await using node = await startNode(broker.url);
      const { client } = node;
      expect(node.unbound).toEqual({ gas: "camera" });
      const told = client.calibrations({ node: "kitchen" })[Symbol.asyncIterator]();
      expect((await told.next()).value).toMatchObject({ sensor: "gas", state: "unbound", with: "camera" });
      const felt = client.embeddings({ sensor: "gas" })[Symbol.asyncIterator]();
      const events = client.events({ sensor: "gas" })[Symbol.asyncIterator]();
      await client.request("kitchen", "calibrate/start", { sensor: "gas", duration: `${minutes}m` });
      const states: string[] = [];
      let last: Awaited<ReturnType<typeof told.next>>["value"];
      while (!/installed|failed/.test(last?.state)) {
        last = (await told.next()).value;
        states.push(last.state);
      }
      expect(last.error).toBeUndefined();
      expect(last).toMatchObject({ state: "installed", progress: 1, scenes: expect.any(Number) });
      expect([...new Set(states)]).toEqual(["collecting", "training", "installed"]);
      // Guessing finds one in a hundred: a gas tells what happens, not which of the pictures of it.
      expect(last.recall.after).toBeGreaterThan(0.05);
      // Every window from the exchange on is in the space: none is missing between two.
      const numbers: number[] = [];
      for (let i = 0; i < 20; i++) numbers.push((await felt.next()).value.seq);
      expect(numbers).toEqual(numbers.map((_, i) => numbers[0]! + i));
      expect((await events.next()).value).toMatchObject({
        sensor: "gas",
        concept: expect.stringMatching(/frying|cleaning/),
      });
    }
    await using again = await startNode(broker.url);
    expect(again.unbound).toEqual({});
    const { calibrations } = await again.client.request("kitchen", "calibrate/status");
    expect(calibrations.gas).toMatchObject({ state: "installed" });
    expect((await again.client.embeddings({ sensor: "gas" })[Symbol.asyncIterator]().next()).value.sensor).toBe("gas");
    await again.client.request("kitchen", "calibrate/undo", { sensor: "gas" });
    expect(await bundleInUse(state, nano)).toBe(nano);
    const status = await again.client.request("kitchen", "calibrate/status");
    expect(status.calibrations.gas).toMatchObject({ state: "undone" });
  },
);
