import * as z from "zod";
import { Alert } from "../core/alert.js";
import { Event } from "../core/event.js";
import { embeddingContentType } from "../publish/embedding-format.js";
import { SensorStatus, State, Status } from "../publish/messages.js";
import { type TopicKind, topicTable } from "../publish/topics.js";

const payloads: Readonly<Partial<Record<TopicKind, z.ZodType>>> = {
  status: Status,
  sensorStatus: SensorStatus,
  event: Event,
  state: State,
  alert: Alert,
};

/** The MQTT contract as an AsyncAPI 3.0 document, from the topic table and the schemas of its messages. */
export function asyncApi(version: string): unknown {
  const kinds = Object.keys(topicTable) as TopicKind[];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "SenseBind",
      version,
      description:
        "Events, states, alerts and embeddings of a SenseBind node. Times are integers, µs since the Unix epoch.",
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(kinds.map((kind) => [kind, channel(kind)])),
    operations: Object.fromEntries(kinds.map((kind) => [`${actionOf(kind)}-${kind}`, operation(kind)])),
    components: { messages: Object.fromEntries(kinds.map((kind) => [kind, message(kind)])) },
  };
}

const actionOf = (kind: TopicKind): "send" | "receive" => (kind === "command" ? "receive" : "send");

function channel(kind: TopicKind) {
  const address = topicTable[kind].topic
    .replace("<root>", "sensebind/<node>")
    .replaceAll("<", "{")
    .replaceAll(">", "}");
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  return {
    address,
    parameters: Object.fromEntries(names.map((name) => [name, {}])),
    messages: { [kind]: { $ref: `#/components/messages/${kind}` } },
  };
}

function operation(kind: TopicKind) {
  const { qos, retained } = topicTable[kind];
  return {
    action: actionOf(kind),
    channel: { $ref: `#/channels/${kind}` },
    bindings: { mqtt: { qos, retain: retained, bindingVersion: "0.2.0" } },
  };
}

function message(kind: TopicKind) {
  const summary = topicTable[kind].payload;
  if (kind === "embedding")
    return { summary, contentType: embeddingContentType, payload: { type: "string", format: "binary" } };
  const schema = payloads[kind];
  if (schema === undefined) return { summary, payload: { type: "object" } };
  const { $schema, ...payload } = z.toJSONSchema(schema);
  return { summary, payload: { schemaFormat: `application/schema+json;version=draft-2020-12`, schema: payload } };
}
