#!/usr/bin/env node
import { CommanderError } from "commander";
import { ReaderGone, watchReader } from "./print.js";
import { buildProgram } from "./program.js";
import { exitCodeOf, reportError } from "./report.js";

/** Runs one command line and gives its exit code: 0 done, 1 failed while running, 2 bad usage, configuration or input. */
async function run(argv: readonly string[]): Promise<number> {
  const json = argv.includes("--json");
  const verbose = argv.includes("--verbose");
  try {
    const program = await buildProgram(argv);
    if (argv.length === 0) {
      process.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof ReaderGone || (error instanceof CommanderError && error.exitCode === 0)) return 0;
    reportError(error, { json, verbose });
    return exitCodeOf(error);
  }
}

watchReader();
const code = await run(process.argv.slice(2));
// A device or a broker that does not let go of its handle must not keep a finished command alive.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
