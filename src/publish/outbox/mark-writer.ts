import type { Mark, MarkFile } from "./mark.js";

/** Acknowledgements of so long may be asked for again after a kill -9; noting each at once would cost a write each. */
const every = 5;
/** The age alone is written so often, in ms. */
const ageEvery = 60_000;

/** Writes the mark where it says something new, and not for every acknowledgement. */
export class MarkWriter implements AsyncDisposable {
  /** What is on disk. */
  written: Mark;
  readonly #file: MarkFile;
  readonly #again: () => void;
  #at = Number.NEGATIVE_INFINITY;
  #soon: NodeJS.Timeout | undefined;

  /** `again` is called when a mark that was put off is due. */
  constructor(file: MarkFile, again: () => void) {
    this.#file = file;
    this.#again = again;
    this.written = file.mark;
  }

  /** Losses are noted at once, and everything is where somebody waits for it. */
  async write(mark: Mark, { hurry }: { readonly hurry: boolean }): Promise<void> {
    const { settled, losses, age, written, giving } = this.written;
    const sameLosses = JSON.stringify(losses) === JSON.stringify(mark.losses);
    const same = settled === mark.settled && written === mark.written && sameLosses && giving === mark.giving;
    if (same && mark.age - age < ageEvery) return;
    if (sameLosses && mark.giving === undefined && !hurry && performance.now() - this.#at < every) {
      this.#soon ??= setTimeout(() => {
        this.#soon = undefined;
        this.#again();
      }, every).unref();
      return;
    }
    await this.#file.write(mark);
    this.written = mark;
    this.#at = performance.now();
  }

  sync(): Promise<void> {
    return this.#file.sync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#soon);
    await this.#file[Symbol.asyncDispose]();
  }
}
