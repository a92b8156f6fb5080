import * as z from "zod";
import { DurationText, printDuration } from "../core/duration.js";
import { Id } from "../core/modality.js";
import { grammar } from "./grammar.js";

/** An MQTT topic level or several, below `sensebind/<node>/action/`, with no wildcard and no control character. */
const topic = /^[a-z0-9_-]{1,64}(?:\/[a-z0-9_-]{1,64}){0,7}$/;

/**
 * What a rule does besides its alert. Texts may hold `{rule}`, `{phase}`, `{at}`, `{id}`, `{node}`, `{because}` and
 * `{values}`; there is no way to run a program.
 */
export const Action = z.discriminatedUnion("do", [
  z.strictObject({
    do: z.literal("webhook"),
    url: z.url({ protocol: /^https?$/ }).describe("receives a POST whose body is the alert, JSON"),
    on: z.enum(["begin", "end", "both"]).default("begin"),
  }),
  z.strictObject({
    do: z.literal("publish"),
    topic: z
      .string()
      .regex(topic, "write levels of a-z, 0-9, _ and -, separated by /")
      .describe("below sensebind/<node>/action/"),
    message: z.string().max(4096).describe("a template, for example {rule} at {at}"),
    retain: z.boolean().default(false),
    on: z.enum(["begin", "end", "both"]).default("begin"),
  }),
  z.strictObject({
    do: z.literal("snapshot"),
    sensors: z.array(Id).min(1).describe("whose newest readings go into the recording"),
    on: z.enum(["begin", "end", "both"]).default("begin"),
  }),
  z.strictObject({
    do: z.literal("calibrate"),
    sensor: Id.describe("the sensor to bind"),
    with: Id.describe("the camera to bind it to"),
    on: z.enum(["begin", "end", "both"]).default("begin"),
  }),
]);
export type Action = Readonly<z.infer<typeof Action>>;

const expression = z
  .string()
  .min(1)
  .meta({
    examples: [
      "mic.glass_breaking then thermal.person within 5s",
      "(thermal.hot_pan for 2m) and not once(camera.person, 2m)",
      "count(imu.fall, 1h) >= 3",
    ],
  });

/** A rule as it is written in YAML. */
export const RuleText = z.strictObject({
  when: expression.describe(`the expression whose truth is the alert:
${grammar}`),
  unless: expression.optional().describe("the alert needs this expression to be false"),
  cooldown: DurationText.optional().describe("after a begin, further begins within this time are suppressed"),
  actions: z.array(Action).max(16).optional(),
});
export type RuleText = Readonly<z.infer<typeof RuleText>>;

/** The `rules:` section: rule id to rule. */
export const Rules = z.record(Id, RuleText);
export type Rules = Readonly<z.infer<typeof Rules>>;

/** A rule as it is written: what `RuleText` reads back to the same. */
export function describeRule({ cooldown, ...rule }: RuleText): Record<string, unknown> {
  return { ...rule, ...(cooldown === undefined ? {} : { cooldown: printDuration(cooldown) }) };
}
