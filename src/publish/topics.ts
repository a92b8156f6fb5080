import { SenseError } from "../core/errors.js";
import { Id, NodeId } from "../core/modality.js";

/** One line of the topic table; `<…>` stands for an id that `topics` fills in. */
export interface TopicRow {
  readonly topic: string;
  readonly qos: 0 | 1;
  readonly retained: boolean;
  readonly payload: string;
}

/** The MQTT contract, version 1; `<root>` is `sensebind/<node>`. docs/mqtt.md is generated from this table. */
export const topicTable = {
  status: { topic: "<root>/status", qos: 1, retained: true, payload: "Status, also the last will" },
  sensorStatus: { topic: "<root>/sensor/<sensor>/status", qos: 1, retained: true, payload: "SensorStatus" },
  calibration: { topic: "<root>/sensor/<sensor>/calibration", qos: 1, retained: true, payload: "Calibration" },
  embedding: { topic: "<root>/sensor/<sensor>/embedding", qos: 0, retained: false, payload: "binary embedding" },
  event: { topic: "<root>/event/<sensor>/<concept>", qos: 1, retained: false, payload: "Event" },
  state: { topic: "<root>/state/<sensor>/<concept>", qos: 1, retained: true, payload: "State" },
  alert: { topic: "<root>/alert/<rule>", qos: 1, retained: false, payload: "Alert" },
  action: {
    topic: "<root>/action/<topic>",
    qos: 1,
    retained: false,
    payload: "a rule's own text; retained if the rule says so",
  },
  command: { topic: "<root>/command/<name>", qos: 1, retained: false, payload: "the command's request" },
  reply: { topic: "<root>/reply/<id>", qos: 1, retained: false, payload: "Reply" },
} as const satisfies Record<string, TopicRow>;

export type TopicKind = keyof typeof topicTable;

/** The first level of every topic. */
export const prefix = "sensebind";

function checked(schema: typeof Id | typeof NodeId, value: string, what: string): string {
  if (schema.safeParse(value).success) return value;
  const allowed = schema === NodeId ? "1 to 32 of a-z, 0-9 and -" : "1 to 64 of a-z, 0-9, _ and -";
  throw new SenseError("BAD_ARGUMENT", `${JSON.stringify(value)} is not a ${what} name`, { hint: `Use ${allowed}.` });
}

const id = (value: string, what: string): string => checked(Id, value, what);

/** The topics of one node. Each throws `BAD_ARGUMENT` for an id that could inject a topic level or a wildcard. */
export function topics(node: string) {
  const root = `${prefix}/${checked(NodeId, node, "node")}`;
  return {
    root,
    status: `${root}/status`,
    sensorStatus: (sensor: string) => `${root}/sensor/${id(sensor, "sensor")}/status`,
    calibration: (sensor: string) => `${root}/sensor/${id(sensor, "sensor")}/calibration`,
    embedding: (sensor: string) => `${root}/sensor/${id(sensor, "sensor")}/embedding`,
    event: (sensor: string, concept: string) => `${root}/event/${id(sensor, "sensor")}/${id(concept, "concept")}`,
    state: (sensor: string, concept: string) => `${root}/state/${id(sensor, "sensor")}/${id(concept, "concept")}`,
    alert: (rule: string) => `${root}/alert/${id(rule, "rule")}`,
    action: (topic: string) => `${root}/action/${topic}`,
    command: (name: string) => `${root}/command/${name}`,
    reply: (request: string) => `${root}/reply/${id(request, "request")}`,
  } as const;
}
export type Topics = ReturnType<typeof topics>;

/** What a topic name says; ids that the kind does not have are absent. */
export interface ParsedTopic {
  readonly kind: TopicKind;
  readonly node: string;
  readonly sensor?: string;
  readonly concept?: string;
  readonly rule?: string;
  readonly name?: string;
}

/** Reads a topic of the contract; undefined for any other topic. */
export function parseTopic(topic: string): ParsedTopic | undefined {
  const [first, node, kind, a, b, ...more] = topic.split("/");
  if (first !== prefix || node === undefined) return undefined;
  if (kind === "action" && a) return { kind, node, name: [a, b, ...more].filter(Boolean).join("/") };
  if (kind === "command" && a !== undefined) return { kind, node, name: [a, b, ...more].filter(Boolean).join("/") };
  if (more.length > 0) return undefined;
  if (kind === "status" && a === undefined) return { kind, node };
  if (kind === "sensor" && a && b === "status") return { kind: "sensorStatus", node, sensor: a };
  if (kind === "sensor" && a && (b === "embedding" || b === "calibration")) return { kind: b, node, sensor: a };
  if ((kind === "event" || kind === "state") && a && b) return { kind, node, sensor: a, concept: b };
  if (kind === "alert" && a && b === undefined) return { kind, node, rule: a };
  if (kind === "reply" && a && b === undefined) return { kind, node, name: a };
  return undefined;
}
