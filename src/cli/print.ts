/** One JSON document on a line of its own. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The nine digits that tell every float32 from its neighbours. */
export const digits = (vector: Float32Array): number[] => Array.from(vector, (value) => Number(value.toPrecision(9)));

/** How far long work is, on a terminal only. */
export function progress(done: number, total: number): void {
  if (!process.stderr.isTTY) return;
  process.stderr.write(`\r${done}/${total}${done === total ? "\n" : ""}`);
}
