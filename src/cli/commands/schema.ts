import type { Command } from "commander";
import * as z from "zod";
import { Alert } from "../../core/alert.js";
import { SenseError } from "../../core/errors.js";
import { Event } from "../../core/event.js";
import { Manifest } from "../../encoder/manifest.js";

const schemas: Readonly<Record<string, () => Promise<unknown>>> = {
  alert: async () => z.toJSONSchema(Alert),
  event: async () => z.toJSONSchema(Event),
  manifest: async () => z.toJSONSchema(Manifest, { io: "input" }),
};

export function register(program: Command): void {
  program
    .command("schema")
    .description("print the JSON Schema (or AsyncAPI document) of a format")
    .argument("<name>", `one of ${Object.keys(schemas).join(", ")}`)
    .action(async (name: string) => {
      const schema = schemas[name];
      if (schema === undefined) {
        throw new SenseError("BAD_ARGUMENT", `there is no schema "${name}"`, {
          hint: `Choose one of ${Object.keys(schemas).join(", ")}.`,
        });
      }
      process.stdout.write(`${JSON.stringify(await schema(), null, 2)}\n`);
    });
}
