import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readingSchema } from "../../src/core/recording.js";

test("the page on recordings has the layout that stands in every recording", () => {
  const page = readFileSync(new URL("../../docs/recordings.md", import.meta.url), "utf8");
  expect(page).toContain(`\`\`\`text\n${readingSchema}\`\`\``);
});
