import type { Alert } from "../core/alert.js";
import type { Engine } from "./engine.js";
import type { Input } from "./input.js";

/** Alerts of a flow of inputs, as they are settled. The end of the flow is no end of the trace: tell `end` or `stop`. */
export async function* alerts(inputs: AsyncIterable<Input>, engine: Engine): AsyncGenerator<Alert> {
  for await (const input of inputs) yield* engine.push(input);
}
