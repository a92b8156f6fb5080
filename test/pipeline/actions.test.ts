import { readdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Alert } from "../../src/core/alert.js";
import { recordedSensors } from "../../src/device/replay.js";
import { run } from "../../src/pipeline/run.js";
import { startBroker } from "../../src/publish/aedes.js";
import { subscribe } from "../support/subscriber.js";
import { scene } from "./scene.js";

const drain = async (source: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of source);
};

/** A server on a free port that remembers the bodies it was sent and answers with a status. */
async function listener(status: number) {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks).toString());
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { bodies, url: `http://127.0.0.1:${port}/hook`, [Symbol.asyncDispose]: async () => void (await close()) };
}

const withActions = (actions: readonly object[]) => ({
  rules: { "red-then-green": { when: "camera.red then camera.green within 5s", actions } },
});

describe("the actions of a running node", () => {
  test("call a webhook with the alert, publish a text and write a snapshot, besides the alert", async () => {
    await using hook = await listener(204);
    await using broker = await startBroker();
    await using subscriber = await subscribe(broker.url);
    const actions = [
      { do: "webhook", url: hook.url },
      { do: "publish", topic: "siren/on", message: '{rule} {phase} says "explain"', on: "both" },
      { do: "snapshot", sensors: ["camera"] },
    ];
    const { config, edge } = await scene("bbrrrbgggb", withActions(actions));
    await drain(run({ ...config, broker: { url: broker.url } }, edge));

    const alert = Alert.parse(JSON.parse(hook.bodies[0]!));
    expect([alert.rule, alert.phase, hook.bodies.length]).toEqual(["red-then-green", "begin", 1]);
    const said = await subscriber.until(({ payload }) => payload.toString() === 'red-then-green end says "explain"');
    expect(said.topic).toBe("sensebind/barn/action/siren/on");
    const folder = join(edge.folders.state, "snapshots");
    const files = await readdir(folder);
    expect(files).toEqual([`red-then-green-${alert.at}-begin.mcap`]);
    const sensors = await recordedSensors(join(folder, files[0]!));
    expect(Object.keys(sensors)).toEqual(["camera"]);
  });

  test("that fail leave events and alerts as they were", async () => {
    await using hook = await listener(500);
    const actions = [
      { do: "webhook", url: hook.url },
      { do: "webhook", url: "http://127.0.0.1:9/nobody" },
    ];
    const { config, edge } = await scene("bbrrrbgggb", withActions(actions));
    const warnings: unknown[] = [];
    const log = { ...edge.log, warn: (fields: object, message: string) => void warnings.push([message, fields]) };
    const alerts: string[] = [];
    for await (const message of run(config, { ...edge, log }))
      if (message.kind === "alert") alerts.push(message.alert.phase);
    expect(alerts).toEqual(["begin", "end"]);
    expect(warnings.filter((each) => JSON.stringify(each).includes("action failed"))).toHaveLength(2);
  });

  test.each([
    [{ do: "snapshot", sensors: ["camra"] }, 'Did you mean "camera"?'],
    [{ do: "calibrate", sensor: "camera", with: "camera" }, "webhook"],
  ])("that the node cannot do are refused at once: %j", async (action, hint) => {
    const { config, edge } = await scene("b", withActions([action]));
    await expect(drain(run(config, edge))).rejects.toMatchObject({
      code: "BAD_CONFIG",
      hint: expect.stringContaining(hint),
    });
  });
});
