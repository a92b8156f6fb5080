import { SenseError } from "../core/errors.js";
import { nearest } from "../core/suggest.js";
import type { Device } from "./define.js";

/** A device's options, checked by its schema. Throws `BAD_CONFIG` that names the option. */
export function parseOptions<O>(device: Device<O>, options: unknown): O {
  const parsed = device.options.safeParse(options);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  if (issue.code === "unrecognized_keys") {
    const near = nearest(issue.keys[0]!, keysOf(device.options));
    throw new SenseError("BAD_CONFIG", `${device.name} has no option "${issue.keys[0]}"`, {
      hint: near ? `Did you mean "${near}"?` : `Its options: ${keysOf(device.options).join(", ")}.`,
    });
  }
  const at = issue.path.join(".");
  const missing = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], options);
  const what = missing === undefined ? " is missing" : `: ${issue.message}`;
  throw new SenseError("BAD_CONFIG", `${device.name}: option ${at}${what}`, {
    hint: `Its options: ${keysOf(device.options).join(", ")}.`,
  });
}

function keysOf(schema: unknown): readonly string[] {
  const { shape } = schema as { shape?: Record<string, unknown> };
  return Object.keys(shape ?? {});
}
