import { describe, expect, it } from "vitest";
import * as z from "zod";
import { type Announcement, components, discovery } from "../../src/publish/home-assistant.js";
import { topics } from "../../src/publish/topics.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { brokers, publish } from "../support/wire.js";

const configTopic = "homeassistant/device/sensebind_node1/config";
const origin = { node: "node1", version: "1.2.3", topics: topics("node1"), commands: true };
const announcement: Announcement = {
  sensors: {
    cam0: [{ id: "person", definition: { texts: ["a person", "{{ states('x') }}{% endraw %}"] } }, { id: "cat" }],
    mic0: [],
  },
  rules: ["intruder"],
};

/** Required and allowed fields of the platforms: Home Assistant's MQTT integration, schemas.py, event.py, sensor.py, … */
const shared = {
  unique_id: z.string().min(1),
  name: z.string().min(1),
  icon: z.string().regex(/^mdi:/).optional(),
  entity_category: z.enum(["config", "diagnostic"]).optional(),
};
const readTopic = z.string().regex(/^[^#+]+$/);
const template = z.string().regex(/\{\{.*\}\}/s);
const Component = z.discriminatedUnion("platform", [
  z.strictObject({
    platform: z.literal("event"),
    ...shared,
    state_topic: readTopic,
    event_types: z.array(z.string()).min(1),
    value_template: template,
  }),
  z.strictObject({ platform: z.literal("binary_sensor"), ...shared, state_topic: readTopic, value_template: template }),
  z
    .strictObject({
      platform: z.literal("sensor"),
      ...shared,
      state_topic: readTopic,
      value_template: template,
      device_class: z.enum(["enum", "frequency"]).optional(),
      options: z.array(z.string()).min(1).optional(),
      unit_of_measurement: z.literal("Hz").optional(),
      state_class: z.enum(["measurement", "total_increasing"]).optional(),
    })
    // sensor.py: options need the class enum, which takes neither a state class nor a unit.
    .refine(({ options, device_class }) => (options !== undefined) === (device_class === "enum"))
    .refine(
      ({ options, state_class, unit_of_measurement }) => options === undefined || !(state_class || unit_of_measurement),
    ),
  z.strictObject({
    platform: z.literal("number"),
    ...shared,
    command_topic: readTopic,
    command_template: template,
    min: z.number(),
    max: z.number(),
    step: z.number().positive(),
    mode: z.enum(["auto", "box", "slider"]),
  }),
]);
const Removed = z.strictObject({ platform: z.enum(["event", "binary_sensor", "sensor", "number"]) });
const Discovery = z.strictObject({
  device: z.strictObject({
    identifiers: z.array(z.string()).min(1),
    name: z.string(),
    manufacturer: z.string(),
    sw_version: z.string(),
  }),
  origin: z.strictObject({ name: z.string(), sw_version: z.string() }),
  availability: z.array(
    z.strictObject({
      topic: readTopic,
      value_template: template,
      payload_available: z.string(),
      payload_not_available: z.string(),
    }),
  ),
  qos: z.literal(1),
  components: z.record(z.string(), z.union([Component, Removed])),
});

describe("Home Assistant", () => {
  it("is told entities by its own rules, with unique ids, on no topic that carries a vector", () => {
    const payload = Discovery.parse(discovery(announcement, origin));
    const found = Object.values(payload.components) as Record<string, string>[];
    expect(Object.keys(payload.components)).toEqual([
      ...[
        "cam0.health",
        "cam0.rate",
        "cam0.person.event",
        "cam0.person.state",
        "cam0.person.score",
        "concept.person.on",
      ],
      ...[
        "cam0.cat.event",
        "cam0.cat.state",
        "cam0.cat.score",
        "mic0.health",
        "mic0.rate",
        "rule.intruder.event",
        "node.lost",
      ],
    ]);
    expect(new Set(found.map(({ unique_id }) => unique_id)).size).toBe(found.length);
    expect(JSON.stringify(payload)).not.toContain("/embedding");
  });

  it("sets an operating point with the concept as it is; words of the configuration are no template", () => {
    const { command_template, command_topic } = components(announcement, origin)["concept.person.on"] as Record<
      string,
      string
    >;
    expect(command_topic).toBe("sensebind/node1/command/concepts/set");
    const [before, after, ...rest] = command_template!.split("{{ value }}");
    expect(rest).toEqual([]);
    expect(before! + after!).not.toMatch(/\{\{|\{%|\{#/);
    expect(JSON.parse(`${before}0.7${after}`)).toEqual({
      name: "person",
      concept: { ...announcement.sensors.cam0![0]!.definition, on: 0.7 },
    });
  });

  it("is given no numbers to set where commands are off", () => {
    const found = Object.values(components(announcement, { ...origin, commands: false }));
    expect(found.map(({ platform }) => platform)).not.toContain("number");
  });
});

const entities = (payload: unknown) => (payload as { components: Record<string, object> }).components;
const without: Announcement = { sensors: { cam0: [{ id: "person" }] }, rules: [] };

describe.each(brokers)("Home Assistant on $name", ({ start, skip }) => {
  it.skipIf(skip)(
    "is told again when it starts, and loses what is gone, also after a restart of the node",
    async () => {
      await using broker = await start();
      await using hass = await subscribe(broker.url, ["homeassistant/#", "sensebind/#"]);
      {
        await using publisher = await publish(broker.url, { homeAssistant: true });
        publisher.announce(announcement);
        publisher.state("cam0", "person", { v: 1, on: true, score: 1, since: 0 });
        await eventually(() => hass.on(configTopic).length === 1 && publisher.pending === 0);
        await hass.client.publishAsync("homeassistant/status", "online", { qos: 1 });
        await eventually(() => hass.on(configTopic).length === 2);
        await eventually(() => hass.on("sensebind/node1/state/cam0/person").length === 2);
        publisher.announce({ ...announcement, rules: [] });
        await eventually(() => hass.on(configTopic).length === 4);
        expect(entities(hass.on(configTopic)[2])["rule.intruder.event"]).toEqual({ platform: "event" });
        expect(entities(hass.on(configTopic)[3])["rule.intruder.event"]).toBeUndefined();
      }
      await using publisher = await publish(broker.url, { homeAssistant: true });
      publisher.announce(without);
      await eventually(() => {
        const last = hass.on(configTopic).slice(4);
        const removal = last.find(
          (payload) => JSON.stringify(entities(payload)["mic0.health"]) === '{"platform":"sensor"}',
        );
        return removal !== undefined && entities(last.at(-1))["mic0.health"] === undefined;
      });
      for (const payload of hass.on(configTopic)) Discovery.parse(payload);
    },
  );
});
