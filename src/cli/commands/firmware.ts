import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { cHeader } from "../../device/firmware/c-header.js";
import { readSchema, schemaIds } from "../../device/firmware/catalog.js";
import { goldenDocument } from "../../device/firmware/golden.js";
import { jsonOption } from "../options.js";
import { printJson, printLine } from "../print.js";
import { group } from "../program.js";

export function register(program: Command): void {
  const firmware = group(program, "firmware", "frames that microcontrollers send");
  firmware.command("list").description("the firmware schemas").addOption(jsonOption()).action(list);
  firmware
    .command("header")
    .description("writes the C99 header that encodes frames of these schemas")
    .argument("<schema...>", "ids of schemas, or JSON files of your own")
    .requiredOption("--out <file.h>", "the header")
    .action(header);
  firmware
    .command("golden")
    .description("prints frames and their bytes, to try an encoder or decoder with")
    .argument("<schema>", "id of a schema, or a JSON file of your own")
    .action(golden);
}

async function list({ json }: { readonly json?: boolean }): Promise<void> {
  const schemas = await Promise.all((await schemaIds()).map((id) => readSchema(id)));
  if (json)
    return printJson(schemas.map(({ id, title, rate, fields, reading }) => ({ id, title, rate, fields, reading })));
  for (const { id, title, rate } of schemas) printLine(`${id.padEnd(16)} ${title}, ${rate} Hz`);
}

async function header(ids: readonly string[], { out }: { readonly out: string }): Promise<void> {
  const schemas = await Promise.all(ids.map((id) => readSchema(id)));
  await writeFile(out, cHeader(schemas));
  printLine(`${out}: ${ids.join(", ")}`);
}

async function golden(id: string): Promise<void> {
  printLine(goldenDocument(await readSchema(id)).trimEnd());
}
