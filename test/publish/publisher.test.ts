import { describe, expect, it } from "vitest";
import { Alert } from "../../src/core/alert.js";
import { Event } from "../../src/core/event.js";
import { s } from "../../src/core/time.js";
import { decodeEmbedding } from "../../src/publish/embedding-format.js";
import { SensorStatus, State, Status } from "../../src/publish/messages.js";
import { subscribe } from "../support/subscriber.js";
import { alert, brokers, embedding, event, publish } from "../support/wire.js";

const state = { v: 1, on: true, score: 0.75, since: 2_000_000 } as const;
const sensor: SensorStatus = {
  v: 1,
  state: "ok",
  modality: "vision",
  device: "files",
  rateHz: 10,
  dropped: 0,
  clock: { offsetUs: 0, driftPpm: 0 },
};

describe.each(brokers)("on $name", ({ start, version, skip }) => {
  it.skipIf(skip)("every topic of the contract carries what its schema says", async () => {
    await using broker = await start();
    await using subscriber = await subscribe(broker.url, "sensebind/#", { protocolVersion: version });
    await using publisher = await publish(broker.url);
    await subscriber.until(({ topic }) => topic === "sensebind/node1/status");
    publisher.event(event(0));
    publisher.state("cam0", "person", state);
    publisher.alert(alert(1));
    publisher.sensorStatus("cam0", sensor);
    publisher.embedding(embedding(7));
    const status = await subscriber.until(({ topic }) => topic === "sensebind/node1/status");
    expect(Status.parse(status.json).state).toBe("online");
    const begun = await subscriber.until(({ topic }) => topic === "sensebind/node1/event/cam0/person");
    expect(Event.parse(begun.json)).toEqual(event(0));
    const on = await subscriber.until(({ topic }) => topic === "sensebind/node1/state/cam0/person");
    expect(State.parse(on.json)).toEqual(state);
    const raised = await subscriber.until(({ topic }) => topic === "sensebind/node1/alert/intruder");
    expect(Alert.parse(raised.json)).toEqual(alert(1));
    const health = await subscriber.until(({ topic }) => topic === "sensebind/node1/sensor/cam0/status");
    expect(SensorStatus.parse(health.json)).toEqual(sensor);
    const binary = await subscriber.until(({ topic }) => topic === "sensebind/node1/sensor/cam0/embedding");
    expect(decodeEmbedding(binary.payload).vector).toEqual(new Float32Array(embedding(7).vector));
    const expected = {
      contentType: "application/vnd.sensebind.embedding.v1",
      userProperties: { space: "test:0000", sensor: "cam0" },
    };
    if (version === 5) expect(binary.packet.properties).toMatchObject(expected);
  });

  it.skipIf(skip)("status, state and sensor status are retained, events and alerts are not", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url);
    publisher.event(event(0));
    publisher.state("cam0", "person", state);
    publisher.alert(alert(1));
    publisher.sensorStatus("cam0", sensor);
    expect(await publisher.drain(s(10))).toBe(true);
    await using late = await subscribe(broker.url);
    await late.until(({ topic }) => topic.endsWith("/state/cam0/person"));
    await late.until(({ topic }) => topic.endsWith("/sensor/cam0/status"));
    await late.until(({ topic }) => topic === "sensebind/node1/status");
    expect(late.messages.map(({ topic }) => topic).sort()).toEqual([
      "sensebind/node1/sensor/cam0/status",
      "sensebind/node1/state/cam0/person",
      "sensebind/node1/status",
    ]);
  });

  it.skipIf(skip)("a clean end says offline, after everything else", async () => {
    await using broker = await start();
    await using subscriber = await subscribe(broker.url);
    {
      await using publisher = await publish(broker.url);
      for (let seq = 0; seq < 100; seq++) publisher.event(event(seq));
      expect(await publisher.drain(s(10))).toBe(true);
    }
    await subscriber.until(({ json }) => json.state === "offline");
    expect(subscriber.on("sensebind/node1/event/cam0/person").map(({ seq }) => seq)).toEqual([...Array(100).keys()]);
    expect(subscriber.messages.at(-1)?.json.state).toBe("offline");
  });
});

describe("without a broker of its own", () => {
  it("a node brings one, on loopback", async () => {
    await using publisher = await publish("", { broker: undefined as never });
    expect(publisher.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
    await using subscriber = await subscribe(publisher.url);
    publisher.event(event(0));
    expect((await subscriber.until(({ topic }) => topic.includes("/event/"))).json.id).toBe("event-0");
  });
});
