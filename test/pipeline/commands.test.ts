import { join } from "node:path";
import { expect, test } from "vitest";
import { type Calibration, connect, SenseError } from "../../src/client/index.js";
import type { Config } from "../../src/config.js";
import { Channel } from "../../src/core/channel.js";
import { ms } from "../../src/core/time.js";
import type { OpenCalibrations } from "../../src/pipeline/calibrations.js";
import { type RunEdge, type RunMessage, run } from "../../src/pipeline/run.js";
import { scene } from "./scene.js";

/** A live node whose camera shows red, green and blue for ever, and a client on its broker. */
async function liveScene(
  changes: Readonly<Record<string, unknown>> = {},
  changed?: AsyncIterable<Config>,
  more: Partial<RunEdge> = {},
  fused: Config["fused"] = {},
) {
  const { config, edge } = await scene("rrrgggbbb", changes);
  const stop = new AbortController();
  const options = { ...config.sensors.camera!.options, pace: "realtime", rate: 20, loop: true };
  const sensors = { camera: { ...config.sensors.camera!, window: { length: ms(100), hop: ms(50) }, options } };
  const messages: RunMessage[] = [];
  const running = run(
    { ...config, sensors, fused },
    { ...edge, ...more, signal: stop.signal, ...(changed && { changes: changed }) },
  );
  const first = await running.next();
  if (first.done || first.value.kind !== "open") throw new Error("the node did not open");
  const ended = (async () => {
    for await (const message of running) messages.push(message);
  })();
  const client = await connect(first.value.broker);
  return {
    client,
    messages,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      stop.abort();
      await ended;
    },
  };
}

const firstOf = async <T>(source: AsyncIterable<T>): Promise<T> => {
  for await (const value of source) return value;
  throw new Error("nothing came");
};

test("a concept and a rule set by command are at work at once, and gone when they are removed", async () => {
  await using node = await liveScene({ concepts: { red: "red" }, rules: {} });
  const { client } = node;
  await client.request("barn", "concepts/set", { name: "blue", concept: { texts: "blue", minOff: "0ms" } });
  await client.request("barn", "rules/set", { name: "both", rule: { when: "camera.red then camera.blue within 5s" } });
  const alerts = client.alerts({ rule: "both" });
  expect((await firstOf(client.events({ concept: "blue" }))).concept).toBe("blue");
  expect((await firstOf(alerts)).rule).toBe("both");
  const { concepts } = await client.request("barn", "concepts/list");
  expect(concepts).toMatchObject({ red: { texts: ["red"] }, blue: { texts: ["blue"], updateEvery: "5s" } });
  const { rules } = await client.request("barn", "rules/list");
  expect(rules).toEqual({ both: { when: "camera.red then camera.blue within 5s" } });
  await client.request("barn", "rules/remove", { name: "both" });
  await client.request("barn", "concepts/remove", { name: "blue" });
  expect(Object.keys((await client.request("barn", "concepts/list")).concepts)).toEqual(["red"]);
});

test("a command that does not check is answered with what is wrong and changes nothing", async () => {
  await using node = await liveScene();
  const { client } = node;
  const refused = [
    client.request("barn", "rules/set", { name: "typo", rule: { when: "camera.rde" } }),
    client.request("barn", "concepts/remove", { name: "reed" }),
    client.request("barn", "concepts/remove", { name: "red" }),
    client.request("barn", "concepts/set", { name: "x", concept: { texts: "x", sensors: ["camra"] } }),
  ];
  const codes = await Promise.all(
    refused.map((request) =>
      request.then(
        () => "done",
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(codes).toEqual(["RULE_INVALID", "BAD_ARGUMENT", "RULE_INVALID", "BAD_CONFIG"]);
  expect(Object.keys((await client.request("barn", "concepts/list")).concepts)).toEqual(["red", "green"]);
  expect(Object.keys((await client.request("barn", "rules/list")).rules)).toEqual(["red-then-green"]);
});

test("embed and search answer in the space of the node", async () => {
  const { edge } = await scene("b");
  await using node = await liveScene({ store: { folder: join(edge.folder, "store") } });
  const { client } = node;
  await firstOf(client.embeddings());
  const { vector, space } = await client.request("barn", "embed", { text: "red" });
  expect(vector).toHaveLength(8);
  expect(space).toMatch(/^fixture:/);
  const { hits } = await client.request("barn", "search", { text: "red", minus: "blue", top: 3 });
  expect(hits[0]).toMatchObject({ sensor: "camera", modality: "vision" });
});

test("a file that changes exchanges rules and concepts of a running node, one that does not check changes nothing", async () => {
  const changed = new Channel<Config>(10);
  await using node = await liveScene({ concepts: { red: "red" }, rules: {} }, changed);
  const { client } = node;
  const { config } = await scene("r", { concepts: { red: "red" }, rules: { typo: { when: "camera.rde" } } });
  const { config: good } = await scene("r", {
    concepts: { red: "red", blue: "blue" },
    rules: { both: { when: "camera.red then camera.blue within 5s" } },
  });
  const alerts = client.alerts({ rule: "both" });
  changed.put(config);
  changed.put(good);
  expect((await firstOf(alerts)).rule).toBe("both");
  expect(Object.keys((await client.request("barn", "rules/list")).rules)).toEqual(["both"]);
});

/** Calibrations that do nothing but say so, and that note what they are asked. */
function calibrations() {
  const asked: unknown[] = [];
  const saw = { embeddings: 0 };
  const states: Record<string, Calibration> = {};
  const open: OpenCalibrations = async ({ tell, clock }) => {
    const say = (sensor: string, changes: Partial<Calibration>) => {
      const fresh = { v: 1, state: "collecting", with: "camera", progress: 0, pairs: 0, scenes: 0 } as const;
      states[sensor] = { ...fresh, since: clock.now(), ...states[sensor], ...changes };
      tell(sensor, states[sensor]);
    };
    say("camera", { state: "stopped" });
    return {
      async start({ sensor, with: camera, duration }) {
        if (camera === sensor) throw new SenseError("BAD_ARGUMENT", "a camera is not bound to itself");
        asked.push(["start", sensor, camera, duration]);
        say(sensor, { state: "collecting", with: camera });
      },
      async stop(sensor) {
        asked.push(["stop", sensor]);
        say(sensor, { state: "stopped" });
      },
      async undo(sensor) {
        asked.push(["undo", sensor]);
        say(sensor, { state: "undone" });
      },
      status: () => states,
      window: () => {},
      embedding: () => void saw.embeddings++,
      async [Symbol.asyncDispose]() {
        asked.push(["closed"]);
      },
    };
  };
  return { asked, saw, open };
}

test("calibrations are commanded over MQTT, tell how they are on their topic, and see all that flows", async () => {
  const { asked, saw, open } = calibrations();
  {
    await using node = await liveScene({}, undefined, { calibrations: open });
    const { client } = node;
    const told = client.calibrations({ node: "barn" })[Symbol.asyncIterator]();
    expect((await told.next()).value).toMatchObject({ sensor: "camera", state: "stopped" });
    const typo = client.request("barn", "calibrate/start", { sensor: "camra", with: "camera" });
    await expect(typo).rejects.toMatchObject({ code: "BAD_ARGUMENT", hint: 'Did you mean "camera"?' });
    const itself = client.request("barn", "calibrate/start", { sensor: "camera", with: "camera" });
    await expect(itself).rejects.toMatchObject({ message: "a camera is not bound to itself" });
    expect(asked).toEqual([]);
    await client.request("barn", "calibrate/undo", { sensor: "camera" });
    expect((await told.next()).value).toMatchObject({ sensor: "camera", state: "undone" });
    const { calibrations: known } = await client.request("barn", "calibrate/status");
    expect(known).toMatchObject({ camera: { state: "undone", with: "camera" } });
    await client.request("barn", "calibrate/stop", { sensor: "camera" });
    await firstOf(client.embeddings());
  }
  expect(asked).toEqual([["undo", "camera"], ["stop", "camera"], ["closed"]]);
  expect(saw.embeddings).toBeGreaterThan(0);
});

test("a node that cannot calibrate says that it has no such command, and which it has", async () => {
  await using node = await liveScene();
  const asked = node.client.request("barn", "calibrate/start", { sensor: "camera", with: "camera" });
  await expect(asked).rejects.toMatchObject({ code: "COMMAND_UNKNOWN", hint: expect.stringContaining("concepts/set") });
});

test("what a sensor has just perceived becomes a concept by command, is at work at once, and is kept until it is removed", async () => {
  await using node = await liveScene({ concepts: {}, rules: {} });
  const { client } = node;
  const begins = client.events({ concept: "seen" });
  let seen = 0;
  for await (const _ of client.embeddings()) if (++seen === 25) break;
  const what = { name: "seen", sensor: "camera", last: "100ms" };
  const taught = await client.request("barn", "concepts/teach", what);
  expect(taught).toMatchObject({ examples: 1, precision: expect.any(Number) });
  expect(await firstOf(begins)).toMatchObject({ sensor: "camera", concept: "seen", phase: "begin" });
  expect((await client.request("barn", "concepts/teach", what)).examples).toBe(2);
  const { concepts } = await client.request("barn", "concepts/list");
  expect(concepts.seen).toMatchObject({ modalities: ["vision"], taught: { method: "prototype" } });
  await expect(client.request("barn", "concepts/teach", { name: "x", sensor: "camra" })).rejects.toMatchObject({
    code: "BAD_ARGUMENT",
  });
  await client.request("barn", "concepts/remove", { name: "seen" });
  expect((await client.request("barn", "concepts/list")).concepts).toEqual({});
});

test("a command cannot make the node read a file outside its configuration's folder", async () => {
  await using node = await liveScene();
  const set = (examples: string) => node.client.request("barn", "concepts/set", { name: "x", concept: { examples } });
  await expect(set("/etc/passwd")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  await expect(set("../../secret.png")).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
});

test("a fused sensor is taught like any other", async () => {
  await using node = await liveScene({ concepts: {}, rules: {} }, undefined, {}, { pair: { fuse: { camera: 1 } } });
  const { client } = node;
  const begins = client.events({ sensor: "pair", concept: "seen" });
  let seen = 0;
  for await (const _ of client.embeddings({ sensor: "pair" })) if (++seen === 25) break;
  await client.request("barn", "concepts/teach", { name: "seen", sensor: "pair", last: "100ms", texts: ["red"] });
  const event = await firstOf(begins);
  expect(event).toMatchObject({ modality: "vision", explain: { contributors: [{ sensor: "camera", weight: 1 }] } });
});
