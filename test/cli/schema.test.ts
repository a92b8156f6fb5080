import { expect, test } from "vitest";
import { topicTable } from "../../src/publish/topics.js";
import { sensebind } from "./spawn.js";

test.each(["config", "event", "alert", "embedding", "manifest"])(
  "schema %s is a JSON Schema of an object",
  async (name) => {
    const { code, stdout } = await sensebind("schema", name);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      properties: expect.any(Object),
    });
  },
);

test("schema asyncapi has a channel for every topic of the contract, with its QoS and retain flag", async () => {
  const { stdout } = await sensebind("schema", "asyncapi");
  const document = JSON.parse(stdout);
  for (const [kind, { topic, qos, retained }] of Object.entries(topicTable)) {
    const address = topic.replace("<root>", "sensebind/{node}").replaceAll("<", "{").replaceAll(">", "}");
    expect(document.channels[kind].address).toBe(address);
    const action = kind === "command" ? "receive" : "send";
    expect(document.operations[`${action}-${kind}`]).toMatchObject({
      action,
      bindings: { mqtt: { qos, retain: retained } },
    });
  }
});

test.each(["events", "constructor"])("schema %s is refused with the names there are", async (name) => {
  const { code, stderr } = await sensebind("schema", name);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^BAD_ARGUMENT: there is no schema ".+"\nhint: .*config, event, alert, embedding, manifest, asyncapi/,
  );
});
