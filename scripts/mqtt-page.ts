import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { payloads } from "../src/publish/asyncapi.js";
import { type CommandName, commandTable } from "../src/publish/commands.js";
import { topicTable } from "../src/publish/topics.js";

type Schema = { readonly [key: string]: unknown };

const isObject = (value: unknown): value is Schema => typeof value === "object" && value !== null;

/** A JSON Schema in a few words. */
function words(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  const options = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(options)) return options.map((option) => words(option as Schema)).join(" or ");
  if (schema.type === "array") return `list of ${words((schema.items ?? {}) as Schema)}`;
  if (schema.type === "object" && isObject(schema.properties)) {
    const required = new Set((schema.required ?? []) as string[]);
    const fields = Object.entries(schema.properties).map(([name, field]) => {
      return `${name}${required.has(name) ? "" : "?"}: ${words(field as Schema)}`;
    });
    return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
  }
  if (schema.type === "object") return `object of ${words((schema.additionalProperties ?? {}) as Schema)}`;
  if (schema.type === "string") return typeof schema.pattern === "string" ? `string ${schema.pattern}` : "string";
  if (schema.type === undefined) return "anything";
  const { minimum, maximum } = schema;
  const bounded = minimum === 0 && typeof maximum === "number" && maximum < 1e15;
  if (bounded) return `${schema.type} 0..${maximum}`;
  return minimum === 0 ? `${schema.type} ≥ 0` : String(schema.type);
}

const shown = (schema: z.ZodType): Schema => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema;

const cell = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

function topicRows(): string {
  const rows = Object.values(topicTable).map(({ topic, qos, retained, payload }) => {
    return `| \`${topic}\` | ${qos} | ${retained ? "yes" : "no"} | ${payload} |`;
  });
  return ["| topic | QoS | retained | payload |", "|---|---|---|---|", ...rows].join("\n");
}

function messageTables(): string {
  const { reply: _, ...messages } = payloads;
  return Object.entries(messages)
    .map(([kind, schema]) => {
      const { properties = {}, required = [] } = shown(schema) as { properties?: Schema; required?: string[] };
      const rows = Object.entries(properties).map(([name, field]) => {
        return `| \`${name}\`${required.includes(name) ? "" : " (may be absent)"} | ${cell(words(field as Schema))} |`;
      });
      return [`### ${kind}`, "", "| field | value |", "|---|---|", ...rows].join("\n");
    })
    .join("\n\n");
}

function commandRows(): string {
  const table = commandTable({ concept: z.any(), rule: z.any() });
  const rows = (Object.keys(table) as CommandName[]).map((name) => {
    return `| \`${name}\` | ${cell(words(shown(table[name].request)))} | ${cell(words(shown(table[name].result)))} |`;
  });
  return ["| command | request | result |", "|---|---|---|", ...rows].join("\n");
}

/** docs/mqtt.md: the written parts of mqtt-page.md with the tables of the code in their places. */
export function mqttPage(): string {
  const template = readFileSync(new URL("mqtt-page.md", import.meta.url), "utf8");
  return template
    .replace("<!-- topics -->", topicRows)
    .replace("<!-- messages -->", messageTables)
    .replace("<!-- commands -->", commandRows);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  writeFileSync(new URL("../docs/mqtt.md", import.meta.url), mqttPage());
}
