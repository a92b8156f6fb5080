import { exitCodeOf, printError, reportError } from "./report.js";

/** Inputs of a list that could not be used: each is reported when it is met, the number of them at the end. */
export class Skipped {
  readonly #json: boolean;
  readonly #errors: unknown[] = [];

  constructor({ json = false }: { readonly json?: boolean | undefined } = {}) {
    this.#json = json;
  }

  get count(): number {
    return this.#errors.length;
  }

  add(error: unknown, options: { readonly verbose?: boolean } = {}): void {
    this.#errors.push(error);
    reportError(error, options);
  }

  /** Sets the exit code: 0 where all were used, 1 where some were, else that of the first error, which is then the result. */
  finish(used: number): void {
    if (this.count === 0) return;
    process.stderr.write(`${this.count} of ${used + this.count} inputs could not be used\n`);
    process.exitCode = used > 0 ? 1 : exitCodeOf(this.#errors[0]);
    if (used === 0 && this.#json) printError(this.#errors[0]);
  }
}
