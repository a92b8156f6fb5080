import type { Topics } from "./topics.js";

/** What Home Assistant is told about: the concepts that each sensor is asked for, and the rules. */
export interface Announcement {
  readonly sensors: Readonly<Record<string, readonly AnnouncedConcept[]>>;
  readonly rules: readonly string[];
}

export interface AnnouncedConcept {
  readonly id: string;
  /** The concept as the configuration has it: with commands on, its operating point becomes a number to set. */
  readonly definition?: Readonly<Record<string, unknown>>;
}

export interface Origin {
  readonly node: string;
  readonly version: string;
  readonly topics: Topics;
  readonly commands: boolean;
}

/** One entity, by the rules of Home Assistant's MQTT integration. */
export type Component = Readonly<Record<string, unknown>> & { readonly platform: string };

/** Where Home Assistant says that it has started: what was announced is then announced again. */
export const birthTopic = "homeassistant/status";

export const discoveryTopic = (node: string): string => `homeassistant/device/sensebind_${node}/config`;

/** The device discovery payload of a node. `gone`: entities of an earlier payload, which are removed by naming no more than their platform. */
export function discovery(announced: Announcement, origin: Origin, gone: readonly (readonly [string, string])[] = []) {
  const { node, version, topics } = origin;
  return {
    device: {
      identifiers: [`sensebind_${node}`],
      name: `SenseBind ${node}`,
      manufacturer: "SenseBind",
      sw_version: version,
    },
    origin: { name: "sensebind", sw_version: version },
    availability: [
      {
        topic: topics.status,
        value_template: "{{ value_json.state }}",
        payload_available: "online",
        payload_not_available: "offline",
      },
    ],
    qos: 1,
    components: {
      ...Object.fromEntries(gone.map(([key, platform]) => [key, { platform }])),
      ...components(announced, origin),
    },
  };
}

/** Every entity by its key; a `.` cannot be part of an id, so that no two keys are the same. */
export function components({ sensors, rules }: Announcement, origin: Origin): Record<string, Component> {
  const found: Record<string, Component> = {};
  const add = (key: string, component: Component) => {
    found[key] = { unique_id: `sensebind.${origin.node}.${key}`, ...component };
  };
  for (const [sensor, concepts] of Object.entries(sensors)) {
    addHealth(sensor, origin, add);
    for (const concept of concepts) addConcept(sensor, concept, { ...origin, add });
  }
  for (const rule of rules) {
    add(`rule.${rule}.event`, {
      ...eventEntity(`${rule} alert`, origin.topics.alert(rule), ["begin", "end"]),
      icon: "mdi:alert",
    });
  }
  add("node.lost", {
    platform: "sensor",
    name: "Messages lost",
    state_topic: origin.topics.status,
    value_template: "{{ value_json.lost.events + value_json.lost.updates + value_json.lost.embeddings }}",
    state_class: "total_increasing",
    entity_category: "diagnostic",
  });
  return found;
}

type Add = (key: string, component: Component) => void;

function addHealth(sensor: string, { topics }: Origin, add: Add): void {
  const state_topic = topics.sensorStatus(sensor);
  add(`${sensor}.health`, {
    platform: "sensor",
    name: `${sensor} health`,
    state_topic,
    value_template: "{{ value_json.state }}",
    device_class: "enum",
    options: ["ok", "stalled", "absent", "error"],
    entity_category: "diagnostic",
  });
  add(`${sensor}.rate`, {
    platform: "sensor",
    name: `${sensor} rate`,
    state_topic,
    value_template: "{{ value_json.rateHz }}",
    device_class: "frequency",
    unit_of_measurement: "Hz",
    state_class: "measurement",
    entity_category: "diagnostic",
  });
}

function addConcept(
  sensor: string,
  { id, definition }: AnnouncedConcept,
  { topics, commands, add }: Origin & { add: Add },
): void {
  const name = `${sensor} ${id}`;
  const state_topic = topics.state(sensor, id);
  add(`${sensor}.${id}.event`, eventEntity(name, topics.event(sensor, id), ["begin", "update", "end"]));
  add(`${sensor}.${id}.state`, {
    platform: "binary_sensor",
    name,
    state_topic,
    value_template: "{{ 'ON' if value_json.on else 'OFF' }}",
  });
  add(`${sensor}.${id}.score`, {
    platform: "sensor",
    name: `${name} score`,
    state_topic,
    value_template: "{{ value_json.score }}",
    state_class: "measurement",
  });
  if (!commands || definition === undefined) return;
  add(`concept.${id}.on`, {
    platform: "number",
    name: `${id} operating point`,
    command_topic: topics.command("concepts/set"),
    command_template: withNumber({ name: id, concept: { ...definition, on: slot } }),
    min: 0,
    max: 1,
    step: 0.01,
    mode: "box",
    entity_category: "config",
  });
}

/** Home Assistant wants `event_type` in a JSON object; the rest becomes attributes. */
function eventEntity(name: string, state_topic: string, event_types: readonly string[]): Component {
  return {
    platform: "event",
    name,
    state_topic,
    event_types,
    value_template: "{{ dict(value_json, event_type=value_json.phase) | to_json }}",
  };
}

const slot = "@number@";

/**
 * A Jinja template that gives JSON with a number in it. Words of the configuration are not the template's: `{{`, `{%` and
 * `{#`, which stand in JSON inside strings only, are written as escapes.
 */
function withNumber(value: object): string {
  return JSON.stringify(value)
    .replace(/\{(?=[{%#])/g, "\\u007b")
    .replace(`"${slot}"`, "{{ value }}");
}
