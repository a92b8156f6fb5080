import { mkdtemp, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configChanges } from "../../src/cli/watch-config.js";
import { silent } from "../../src/core/log.js";

let version = 0;
/** Each time another text, so that the first one seen is a change. */
const text = (rule: string) => `# ${version++}
sensors: { mic: { device: sim-mic, modality: audio } }
concepts: { dog: a dog }
rules: { ${rule}: { when: mic.dog } }
`;

async function watched() {
  const path = join(await mkdtemp(join(tmpdir(), "sensebind-watch-")), "c.yaml");
  await writeFile(path, text("first"));
  const stop = new AbortController();
  const warnings: string[] = [];
  const log = { ...silent, warn: (_: object, message: string) => void warnings.push(message) };
  const changes = configChanges(path, { signal: stop.signal, log });
  /** The next change, after `write` which is repeated until it is seen: watching begins some time after the call. */
  const next = async (write: () => Promise<void>): Promise<string[]> => {
    const change = changes.next();
    let seen = false;
    void change.then(() => {
      seen = true;
    });
    while (!seen) await Promise.all([write(), new Promise((resolve) => setImmediate(resolve))]);
    const { value } = await change;
    return value ? Object.keys(value.rules) : [];
  };
  return { path, stop, warnings, changes, next };
}

describe("a configuration file that is watched", () => {
  test("is read again when it is written or replaced", async () => {
    const { path, stop, next, changes } = await watched();
    expect(await next(() => writeFile(path, text("second")))).toEqual(["second"]);
    const replace = async () => {
      await writeFile(`${path}.new`, text("third"));
      await rename(`${path}.new`, path);
    };
    // The file may have been written once more than was seen: that change comes first.
    let rules = await next(replace);
    while (rules[0] === "second") rules = await next(replace);
    expect(rules).toEqual(["third"]);
    stop.abort();
    expect((await changes.next()).done).toBe(true);
  });

  test("is left alone while it cannot be read, and said so", async () => {
    const { path, stop, next, warnings } = await watched();
    let turn = 0;
    expect(await next(() => writeFile(path, turn++ % 20 < 10 ? `rulez: {${turn}}` : text("fixed")))).toEqual(["fixed"]);
    expect(warnings).toContain("the changed configuration is not used");
    stop.abort();
  });
});
