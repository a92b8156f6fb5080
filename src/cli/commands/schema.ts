import type { Command } from "commander";
import * as z from "zod";
import { Config } from "../../config.js";
import { Alert } from "../../core/alert.js";
import { SenseError } from "../../core/errors.js";
import { Event } from "../../core/event.js";
import { Manifest } from "../../encoder/manifest.js";
import { asyncApi } from "../../publish/asyncapi.js";
import { RuleText } from "../../rules/schema.js";
import { ConceptText } from "../../space/schema.js";
import { EmbeddingLine } from "../embedding-line.js";
import { packageVersion } from "../package.js";
import { printLine } from "../print.js";

/** What a file or a message is written in: durations as text, defaults left out. */
const written = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { io: "input" });

const schemas: Readonly<Record<string, () => unknown>> = {
  config: () => written(Config),
  event: () => written(Event),
  alert: () => written(Alert),
  embedding: () => written(EmbeddingLine),
  manifest: () => written(Manifest),
  asyncapi: async () => asyncApi({ version: await packageVersion(), concept: ConceptText, rule: RuleText }),
};

const names = Object.keys(schemas).join(", ");

export function register(program: Command): void {
  program
    .command("schema")
    .description("the JSON Schema of a format, or the AsyncAPI document of the MQTT contract")
    .argument("<name>", `one of ${names}`)
    .action(async (name: string) => {
      const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
      if (schema === undefined) {
        throw new SenseError("BAD_ARGUMENT", `there is no schema "${name}"`, { hint: `Choose one of ${names}.` });
      }
      printLine(JSON.stringify(await schema(), null, 2));
    });
}
