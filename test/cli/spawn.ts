import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The built command line. */
export const main = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line. */
export function sensebind(...args: string[]): Promise<Finished> {
  return run(args, process.env);
}

/** The same with another home and temporary folder. */
export function sensebindAt(home: string, ...args: string[]): Promise<Finished> {
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env;
  return run(args, { ...env, HOME: home, TMPDIR: home, XDG_CACHE_HOME: join(home, "cache") });
}

function run(args: string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}

/** The JSON lines of an output. */
export const jsonLines = (text: string): unknown[] =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
