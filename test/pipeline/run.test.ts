import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Alert } from "../../src/core/alert.js";
import { Event } from "../../src/core/event.js";
import { recordReadings } from "../../src/device/record.js";
import { replay } from "../../src/pipeline/replay.js";
import { type RunMessage, run } from "../../src/pipeline/run.js";
import { openSensors } from "../../src/pipeline/sensors.js";
import { startBroker } from "../../src/publish/aedes.js";
import { SensorStatus, State, Status } from "../../src/publish/messages.js";
import { writeManifest } from "../encoder/bundle-fixture.js";
import { subscribe } from "../support/subscriber.js";
import { scene } from "./scene.js";

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const out: T[] = [];
  for await (const value of source) out.push(value);
  return out;
};

const said = (messages: readonly RunMessage[]): string[] =>
  messages.flatMap((message) => {
    if (message.kind === "event") return [`${message.event.concept} ${message.event.phase}`];
    if (message.kind === "alert") return [`${message.alert.rule} ${message.alert.phase}`];
    return [];
  });

describe("a run on files", () => {
  test("says begin and end of what its camera shows, and the alert that follows", async () => {
    const { config, edge } = await scene("bbrrrbgggb");
    const lines = said(await collect(run(config, edge)));
    expect(lines.filter((line) => !line.endsWith("update"))).toEqual([
      "red begin",
      "red end",
      "green begin",
      "green end",
      // Rules wait for what may come late.
      "red-then-green begin",
      "red-then-green end",
    ]);
  });

  test("an event that is open at the end of the file gets its end", async () => {
    const { config, edge } = await scene("bbrr");
    expect(said(await collect(run(config, edge))).at(-1)).toBe("red end");
  });

  test("blue pictures are nothing to a node that is asked for red and green", async () => {
    const { config, edge } = await scene("bbbb");
    const messages = await collect(run(config, edge));
    expect(said(messages)).toEqual([]);
    expect(messages.filter((message) => message.kind === "embedding").length).toBeGreaterThan(2);
  });

  test("a corrupt picture is a counted loss and not the end", async () => {
    const { config, edge } = await scene("brrxrrb");
    await using broker = await startBroker();
    await using subscriber = await subscribe(broker.url);
    const messages = await collect(run({ ...config, broker: { url: broker.url } }, edge));
    expect(said(messages)).toContain("red begin");
    const status = await subscriber.until(
      (message) => message.topic === "sensebind/barn/sensor/camera/status" && Number(message.json.dropped) > 0,
    );
    expect(SensorStatus.parse(status.json).state).toBe("ok");
  });
});

test("the status of a sensor says how much of the background of its concepts is known, and a fused sensor has one too", async () => {
  const { config, edge } = await scene("bbbrr".repeat(50), {
    concepts: { red: { texts: "red", falseAlarms: "1/day" }, green: "green" },
    rules: {},
  });
  await using broker = await startBroker();
  await using subscriber = await subscribe(broker.url);
  const fused = { pair: { fuse: { camera: 1 } } };
  await collect(run({ ...config, fused, broker: { url: broker.url } }, edge));
  const last = await subscriber.until(
    (message) =>
      message.topic === "sensebind/barn/sensor/camera/status" &&
      (SensorStatus.parse(message.json).background?.red?.minutes ?? 0) > 3,
  );
  const { background } = SensorStatus.parse(last.json);
  expect(Object.keys(background!)).toEqual(["red"]);
  expect(background!.red!.threshold).toBeGreaterThan(0);
  const pair = await subscriber.until((message) => message.topic === "sensebind/barn/sensor/pair/status");
  expect(SensorStatus.parse(pair.json)).toMatchObject({ device: "fused", modality: "vision" });
});

test("everything of the contract is on the broker, in its form", async () => {
  const { config, edge } = await scene("bbrrrbgggb");
  await using broker = await startBroker();
  await using subscriber = await subscribe(broker.url);
  await collect(run({ ...config, broker: { url: broker.url } }, edge));
  const root = "sensebind/barn";
  await subscriber.until((message) => message.topic === `${root}/status` && message.json.state === "offline");
  const on = (topic: string) => subscriber.on(`${root}/${topic}`);
  expect(on("status").map((value) => Status.parse(value).state)).toEqual(["online", "offline"]);
  expect(on("event/camera/red").map((value) => Event.parse(value).phase)).toEqual(
    expect.arrayContaining(["begin", "end"]),
  );
  expect(
    on("state/camera/red")
      .map((value) => State.parse(value).on)
      .at(-1),
  ).toBe(false);
  expect(on("alert/red-then-green").map((value) => Alert.parse(value).phase)).toEqual(["begin", "end"]);
  const embeddings = subscriber.messages.filter(({ topic }) => topic === `${root}/sensor/camera/embedding`);
  expect(embeddings.length).toBeGreaterThan(5);
  expect(embeddings[0]!.payload.subarray(0, 4).toString()).toBe("SBE1");
});

test("a licence with conditions is told when the node opens, and stands in its status", async () => {
  const { config, edge } = await scene("br");
  const notice = "CC-BY-NC-SA-4.0: not for commercial use";
  await writeManifest(edge.folders.bundle, { licence: { spdx: "CC-BY-NC-SA-4.0", nonCommercial: true, notice } });
  await using broker = await startBroker();
  await using subscriber = await subscribe(broker.url);
  const [open] = await collect(run({ ...config, broker: { url: broker.url } }, edge));
  expect(open).toMatchObject({ kind: "open", notice });
  const status = await subscriber.until((message) => message.topic === "sensebind/barn/status");
  expect(Status.parse(status.json).licence).toBe("CC-BY-NC-SA-4.0");
});

describe("a recording", () => {
  const recordScene = async (diagram: string) => {
    const { config, edge } = await scene(diagram);
    const path = join(edge.folder, "scene.mcap");
    const { readings } = await openSensors(config, edge);
    const sensors = { camera: { modality: "vision", device: "files" } } as const;
    await using recorder = await recordReadings(path, { node: config.node, sensors });
    for await (const reading of readings.get("camera")!) await recorder.write(reading);
    return { path, config, edge };
  };

  test("replayed twice gives the same messages, byte for byte", async () => {
    const { path, config, edge } = await recordScene("bbrrrbgggbrrbbbbrg");
    const once = JSON.stringify(await collect(replay(path, config, edge)));
    expect(JSON.stringify(await collect(replay(path, config, edge)))).toBe(once);
    expect(once).toContain("red-then-green");
  });

  test("a sensor that it does not have is refused with what was meant", async () => {
    const { path, config, edge } = await recordScene("br");
    const typo = { ...config, sensors: { camra: config.sensors.camera! }, rules: {} };
    await expect(collect(replay(path, typo, edge))).rejects.toMatchObject({
      code: "BAD_CONFIG",
      hint: 'Did you mean "camera"?',
    });
  });
});

describe("a configuration that cannot run is refused at once", () => {
  test.each([
    [{ rules: { r: { when: "camera.rde" } } }, "RULE_INVALID", "camera.red"],
    [{ concepts: { red: { texts: "red", sensors: ["camra"] } }, rules: {} }, "BAD_CONFIG", "camera"],
    [{ sensors: { camera: { device: "flies", modality: "vision" } }, rules: {} }, "DEVICE_UNKNOWN", "files"],
    [
      { sensors: { camera: { device: "files", modality: "vision", options: { pth: "x" } } }, rules: {} },
      "BAD_CONFIG",
      "path",
    ],
    [
      { sensors: { camera: { device: "files", modality: "depth", options: { path: "x" } } }, rules: {} },
      "MODALITY_UNSUPPORTED",
      "",
    ],
    [{ runtime: { providers: ["cuda"] } }, "BAD_ARGUMENT", "cpu"],
  ])("%j", async (changes, code, hint) => {
    const { config, edge } = await scene("b", changes);
    await expect(collect(run(config, edge))).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
  });
});
