import * as z from "zod";
import { Alert } from "../core/alert.js";
import { Event } from "../core/event.js";
import { type CommandName, commandTable, Reply, type Settable } from "./commands.js";
import { embeddingContentType } from "./embedding-format.js";
import { Calibration, SensorStatus, State, Status } from "./messages.js";
import { type TopicKind, topicTable } from "./topics.js";

/** The JSON payloads of the contract, by the kind of their topic. */
export const payloads = {
  status: Status,
  sensorStatus: SensorStatus,
  calibration: Calibration,
  event: Event,
  state: State,
  alert: Alert,
  reply: Reply,
};

export interface AsyncApiOptions extends Settable {
  /** Of the package. */
  readonly version: string;
}

const id = "^[a-z0-9_-]{1,64}$";
const parameters = {
  node: { description: "Name of the node, ^[a-z0-9-]{1,32}$." },
  sensor: { description: `Id of the sensor, ${id}.` },
  concept: { description: `Id of the concept, ${id}.` },
  rule: { description: `Id of the rule, ${id}.` },
  topic: { description: "Levels that the rule names, for instance lights/hall." },
  name: { description: "Name of the command, for instance concepts/set." },
  id: { description: `The id that the command carried, ${id}.` },
} as const;

/** The MQTT contract as an AsyncAPI 3.0 document, from the topic table and the schemas of its messages. */
export function asyncApi({ version, ...settable }: AsyncApiOptions) {
  const kinds = Object.keys(topicTable) as TopicKind[];
  const commands = commandTable(settable);
  const names = Object.keys(commands) as CommandName[];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "SenseBind",
      version,
      description: "What a SenseBind node publishes and takes, version 1. Times are integers, µs since the Unix epoch.",
      license: { name: "Apache-2.0" },
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(
      kinds.map((kind) => [kind, channel(kind, kind === "command" ? names.map(slug) : [kind])]),
    ),
    operations: Object.fromEntries(kinds.map((kind) => [`${actionOf(kind)}-${kind}`, operation(kind)])),
    components: {
      messages: {
        ...Object.fromEntries(kinds.filter((kind) => kind !== "command").map((kind) => [kind, message(kind)])),
        ...Object.fromEntries(names.map((name) => [slug(name), commandMessage(name, commands[name])])),
      },
    },
  };
}

const slug = (name: CommandName): string => `command-${name.replace("/", "-")}`;

const actionOf = (kind: TopicKind): "send" | "receive" => (kind === "command" ? "receive" : "send");

function channel(kind: TopicKind, messages: readonly string[]) {
  const { topic, payload } = topicTable[kind];
  const address = topic.replace("<root>", "sensebind/{node}").replaceAll("<", "{").replaceAll(">", "}");
  const used = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as keyof typeof parameters);
  return {
    address,
    description: payload,
    parameters: Object.fromEntries(used.map((name) => [name, parameters[name]])),
    messages: Object.fromEntries(messages.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
  };
}

function operation(kind: TopicKind) {
  const { qos, retained } = topicTable[kind];
  return {
    action: actionOf(kind),
    channel: { $ref: `#/channels/${kind}` },
    bindings: { mqtt: { qos, retain: retained, bindingVersion: "0.2.0" } },
    ...(kind === "command" ? { reply: { channel: { $ref: "#/channels/reply" } } } : {}),
  };
}

function message(kind: Exclude<TopicKind, "command">) {
  const summary = topicTable[kind].payload;
  if (kind === "action") return { summary, contentType: "text/plain", payload: { type: "string" } };
  if (kind === "embedding") {
    return { summary, contentType: embeddingContentType, payload: { type: "string", format: "binary" } };
  }
  return { summary, payload: jsonSchema(payloads[kind]) };
}

function commandMessage(
  name: CommandName,
  { request, result }: { readonly request: z.ZodType; readonly result: z.ZodType },
) {
  return {
    summary: `The command ${name}.`,
    payload: jsonSchema(request),
    /** `result` of its reply, where that says `ok`. */
    "x-result": jsonSchema(result),
  };
}

/** AsyncAPI's own schemas are JSON Schema draft 7; what a sender may leave out is optional. */
function jsonSchema(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input", unrepresentable: "any" });
  return rest;
}
