/** The reader of stdout went away (`sensebind embed … | head`): the command ends, and it is no failure of ours. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

let gone = false;

/** Ends the command at its next line when stdout is closed, so that what it holds is released in order. */
export function watchReader(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    gone = true;
  });
}

/** One JSON document on a line of its own. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

export function printLine(text: string): void {
  if (gone) throw new ReaderGone();
  process.stdout.write(`${text}\n`);
}

/** The nine digits that tell every float32 from its neighbours. */
export const digits = (vector: Float32Array): number[] => Array.from(vector, (value) => Number(value.toPrecision(9)));

/** How far long work is, on a terminal only. */
export function progress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${done}/${total}${done === total ? "\n" : ""}`);
}
