import { writeFileSync } from "node:fs";
import { errorTable } from "../src/core/errors.js";

const rows = Object.entries(errorTable).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
const page = `# Errors

Every error of SenseBind carries a code from this table, a sentence with the values, and a hint that says what to do. The
command line prints \`CODE: sentence\` and \`hint: …\`; with \`--json\` also \`{"error":{"code","message","hint"}}\`.
This page is made by \`npm run docs:errors\` from \`src/core/errors.ts\`; a test fails when the two differ.

| code | what it means |
| --- | --- |
${rows.join("\n")}
`;
writeFileSync(new URL("../docs/errors.md", import.meta.url), page);
