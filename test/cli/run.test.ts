import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import type { Event } from "../../src/core/event.js";
import { scene } from "../pipeline/scene.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { jsonLines, main, sensebind } from "./spawn.js";

/** A configuration file of one camera that plays a diagram, and the bundle of the tests. */
async function configured(diagram: string, changes: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { edge } = await scene(diagram);
  const live = { pace: "realtime", rate: 20, loop: true };
  const { camera, ...rest } = changes as { camera?: "live" };
  const text = {
    node: "barn",
    bundle: edge.folders.bundle,
    sensors: {
      camera: {
        device: "files",
        modality: "vision",
        window: { length: "1s", hop: "1s" },
        options: { path: "camera", pace: "fast" },
      },
    },
    concepts: { red: "red", green: "green" },
    rules: { both: { when: "camera.red then camera.green within 5s" } },
    ...rest,
  };
  if (camera === "live") {
    text.sensors.camera.window = { length: "100ms", hop: "50ms" };
    Object.assign(text.sensors.camera.options, live);
  }
  const path = join(edge.folder, "scene.json");
  await writeFile(path, JSON.stringify(text));
  return path;
}

const phases = (output: string): string[] =>
  (jsonLines(output) as { phase?: Event["phase"]; concept?: string; rule?: string }[])
    .filter(({ phase }) => phase !== undefined && phase !== "update")
    .map(({ concept, rule, phase }) => `${concept ?? rule} ${phase}`);

/** A node that runs until it is told to stop; `until` waits for one of its JSON lines. */
function startNode(config: string) {
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [main, "run", config, "--json"]);
  const lines: (Partial<Event> & { summary?: unknown })[] = [];
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const until = (fits: (line: Partial<Event>) => boolean) =>
    eventually(() => lines.some(fits), `a line that fits; stderr: ${errors}`);
  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    const exit = once(child, "exit");
    child.kill(signal);
    return (await exit)[0] as number | null;
  };
  return { child, lines, until, stop, errors: () => errors };
}

const begun = ({ phase, concept }: Partial<Event>) => phase === "begin" && concept === "red";

describe("run", () => {
  test("prints events, alerts and a summary, and ends with the files", async () => {
    const { code, stdout } = await sensebind("run", await configured("bbrrrbgggb"), "--json");
    expect(code).toBe(0);
    expect(phases(stdout)).toEqual(["red begin", "red end", "green begin", "green end", "both begin", "both end"]);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ summary: { events: 2, alerts: 1, lostWindows: 0 } });
  });

  test("SIGTERM ends it cleanly: what is open ends, the summary closes, exit 0", async () => {
    const node = startNode(await configured("rrr", { camera: "live" }));
    await node.until(begun);
    expect(await node.stop("SIGTERM")).toBe(0);
    expect(node.lines.at(-1)).toHaveProperty("summary");
    expect(node.lines.findLast(({ phase }) => phase !== undefined)).toMatchObject({ phase: "end", reason: "shutdown" });
    expect(node.errors()).not.toMatch(/\n\s+at /);
  });

  test.skipIf(noMosquitto)(`killed with -9, its next start ends what was open${mosquittoNote}`, async () => {
    await using broker = await startMosquitto();
    await using subscriber = await subscribe(broker.url, "sensebind/barn/event/#");
    const config = await configured("rrr", { camera: "live", broker: broker.url });
    const first = startNode(config);
    const seen = await subscriber.until((message) => message.json.phase === "begin");
    await first.stop("SIGKILL");
    const second = startNode(config);
    const end = await subscriber.until((message) => message.json.phase === "end" && message.json.reason === "restart");
    expect(end.json.id).toBe(seen.json.id);
    expect(Number(end.json.seq)).toBeGreaterThan(Number(seen.json.seq));
    expect(await second.stop("SIGTERM")).toBe(0);
  });

  test.skipIf(noMosquitto)(
    `goes on while its broker is away, and tells it everything afterwards${mosquittoNote}`,
    async () => {
      await using broker = await startMosquitto();
      const config = await configured("rrrggg", { camera: "live", broker: broker.url });
      const node = startNode(config);
      await node.until(begun);
      await broker.kill();
      const before = node.lines.length;
      await eventually(() => node.lines.length > before + 4, "events while the broker is away");
      await broker.start();
      await using subscriber = await subscribe(broker.url, "sensebind/barn/event/#");
      const during = node.lines.slice(before, before + 4).filter(({ concept }) => concept !== undefined);
      for (const { seq } of during) await subscriber.until((message) => message.json.seq === seq, `event ${seq}`);
      expect(await node.stop("SIGTERM")).toBe(0);
    },
  );
});

describe("a recording", () => {
  test("replayed twice gives the same bytes; cut off, it is used up to the cut", async () => {
    const config = await configured("bbrrrbgggbrrbggb");
    const recording = join(config, "..", "scene.mcap");
    expect((await sensebind("record", config, "--out", recording)).code).toBe(0);
    const once = await sensebind("replay", recording, "--config", config, "--json");
    expect(once.code).toBe(0);
    expect(phases(once.stdout)).toContain("both begin");
    expect((await sensebind("replay", recording, "--config", config, "--json")).stdout).toBe(once.stdout);
    await truncate(recording, (await readFile(recording)).length - 200);
    const cut = await sensebind("replay", recording, "--config", config, "--json");
    expect(cut.code).toBe(0);
    expect(cut.stderr).toContain("readings before it were used");
  });
});

describe("what cannot run is one line, a hint and exit 2", () => {
  test.each([
    [{ conecpts: {} }, "BAD_CONFIG", 'Did you mean "concepts"?'],
    [{ bundle: "nanno" }, "BAD_BUNDLE", "nano"],
    [{ rules: { r: { when: "camera.red and" } } }, "RULE_INVALID", ""],
  ])("%j", async (changes, code, hint) => {
    const result = await sensebind("run", await configured("b", changes));
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(new RegExp(`^${code}: `, "m"));
    expect(result.stderr).toContain(hint);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});
