import { CommanderError } from "commander";
import { type ErrorCode, isSenseError, SenseError } from "../core/errors.js";

export interface ReportOptions {
  /** Also prints the error as one JSON document on stdout. */
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Codes beside `BAD_…` that blame the command line, a configuration or an input; all others are failures while running. */
const blameInput: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "DEVICE_UNKNOWN",
  "FILE_UNREADABLE",
  "MODALITY_UNSUPPORTED",
  "MODEL_MISMATCH",
  "RULE_INVALID",
  "SPACE_MISMATCH",
]);

/** 2 for bad usage, bad configuration or bad input, 1 for everything that failed while running. */
export function exitCodeOf(error: unknown): 1 | 2 {
  const { code } = asSenseError(error);
  return code.startsWith("BAD_") || blameInput.has(code) ? 2 : 1;
}

/** Prints `CODE: sentence`, then `hint: what to do`, on stderr; a stack trace only when `verbose`. */
export function reportError(error: unknown, { json = false, verbose = false }: ReportOptions = {}): void {
  const { code, message, hint } = asSenseError(error);
  process.stderr.write(`${code}: ${message}\n`);
  if (hint !== undefined) process.stderr.write(`hint: ${hint}\n`);
  if (verbose) process.stderr.write(`${stackOf(error)}\n`);
  if (json) printError(error);
}

/** The error as a JSON document on stdout. */
export function printError(error: unknown): void {
  const { code, message, hint } = asSenseError(error);
  process.stdout.write(`${JSON.stringify({ error: { code, message, hint: hint ?? null } })}\n`);
}

/** Every failure as one of the table: usage errors, the file system's, and defects of our own. */
export function asSenseError(error: unknown): SenseError {
  if (isSenseError(error)) return error;
  if (error instanceof CommanderError) {
    if (error.code === "commander.help")
      return new SenseError("BAD_ARGUMENT", "the command needs a subcommand", { hint: "Run the command with --help." });
    const [sentence = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
    const suggestion = rest.join(" ").replace(/^\(|\)$/g, "");
    return new SenseError("BAD_ARGUMENT", sentence, { hint: suggestion || "Run the command with --help." });
  }
  if (error instanceof Error && "syscall" in error && "code" in error) {
    return new SenseError("FILE_UNREADABLE", error.message, { hint: "Check the path and its permissions." });
  }
  return new SenseError("INTERNAL", error instanceof Error ? error.message : String(error), {
    hint: "This is a defect of SenseBind: run again with --verbose and report what it prints.",
  });
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
