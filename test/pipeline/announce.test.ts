import { expect, test } from "vitest";
import { run } from "../../src/pipeline/run.js";
import { startBroker } from "../../src/publish/aedes.js";
import { subscribe } from "../support/subscriber.js";
import { scene } from "./scene.js";

test("a run tells Home Assistant its sensors, concepts and rules, where it is asked to", async () => {
  const { config, edge } = await scene("bbrrrb");
  await using broker = await startBroker();
  await using hass = await subscribe(broker.url, "homeassistant/#");
  for await (const _ of run({ ...config, broker: { url: broker.url }, homeAssistant: true }, edge));
  const told = await hass.until(({ topic }) => topic === "homeassistant/device/sensebind_barn/config");
  expect(Object.keys(told.json.components as object)).toEqual(
    expect.arrayContaining(["camera.red.event", "camera.green.state", "camera.health", "rule.red-then-green.event"]),
  );
});
