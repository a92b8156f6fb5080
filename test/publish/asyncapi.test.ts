import { Parser } from "@asyncapi/parser";
import { expect, it } from "vitest";
import { asyncApi } from "../../src/publish/asyncapi.js";
import { commandTable } from "../../src/publish/commands.js";
import { RuleText } from "../../src/rules/schema.js";
import { ConceptText } from "../../src/space/schema.js";

const document = asyncApi({ version: "1.0.0", concept: ConceptText, rule: RuleText });

it("the contract is a valid AsyncAPI 3 document", async () => {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  expect(parsed?.version()).toBe("3.0.0");
});

it("it has every command, with its own form", () => {
  const names = Object.keys(document.channels.command!.messages);
  expect(names).toHaveLength(Object.keys(commandTable({ concept: ConceptText, rule: RuleText })).length);
  for (const name of names) expect(document.components.messages[name]).toMatchObject({ payload: { type: "object" } });
});
