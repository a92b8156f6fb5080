import * as z from "zod";
import { DurationText } from "../core/duration.js";
import { Id } from "../core/modality.js";
import { Calibration, SensorStatus, State, Status } from "./messages.js";
import { SearchCommand } from "./search-command.js";

/** How the two things look that a command may set: the schemas of the configuration file, so that it can set no more. */
export interface Settable {
  readonly concept: z.ZodType;
  readonly rule: z.ZodType;
}

/** Ties an answer to its request where the protocol does not (MQTT 3.1.1): the answer goes to `<root>/reply/<id>`. */
const id = Id.optional();
const name = Id;
const count = z.int().nonnegative();

/** What the commands of the MQTT contract, version 1, take and give. */
export function commandTable({ concept, rule }: Settable) {
  const nothing = z.strictObject({});
  return {
    "concepts/list": {
      request: z.strictObject({ id }),
      result: z.strictObject({ concepts: z.record(Id, z.unknown()) }),
    },
    "concepts/set": { request: z.strictObject({ id, name, concept }), result: nothing },
    "concepts/remove": { request: z.strictObject({ id, name }), result: nothing },
    "concepts/teach": {
      /** The last so much of a sensor is an example of the concept; `texts` are words for it. */
      request: z.strictObject({
        id,
        name,
        sensor: Id,
        last: DurationText.prefault("3s"),
        texts: z.array(z.string().trim().min(1).max(4096)).max(20).optional(),
      }),
      /** Examples so far, the windows of this one, those before it, and what share of its events should be right. */
      result: z.strictObject({ examples: count, windows: count, background: count, precision: z.number().optional() }),
    },
    "rules/list": { request: z.strictObject({ id }), result: z.strictObject({ rules: z.record(Id, z.unknown()) }) },
    "rules/set": { request: z.strictObject({ id, name, rule }), result: nothing },
    "rules/remove": { request: z.strictObject({ id, name }), result: nothing },
    embed: {
      request: z.strictObject({ id, text: z.string().trim().min(1).max(4096) }),
      result: z.strictObject({ space: z.string(), vector: z.array(z.number()) }),
    },
    search: SearchCommand,
    "calibrate/start": {
      /** `with`: the camera whose space the sensor is bound to; the one that its configuration names (`bind`) unless given. */
      request: z.strictObject({ id, sensor: Id, with: Id.optional(), duration: DurationText.optional() }),
      result: nothing,
    },
    "calibrate/stop": { request: z.strictObject({ id, sensor: Id }), result: nothing },
    /** Of each sensor that was ever calibrated. */
    "calibrate/status": {
      request: z.strictObject({ id }),
      result: z.strictObject({ calibrations: z.record(Id, Calibration) }),
    },
    /** Back to what the sensor had before its last calibration. */
    "calibrate/undo": { request: z.strictObject({ id, sensor: Id }), result: nothing },
    status: {
      request: z.strictObject({ id }),
      result: z.strictObject({ status: Status, pending: z.int().nonnegative() }),
    },
    snapshot: {
      request: z.strictObject({ id }),
      /** The newest status of each sensor, and the newest state of each `<sensor>/<concept>`. */
      result: z.strictObject({ sensors: z.record(z.string(), SensorStatus), states: z.record(z.string(), State) }),
    },
  } as const;
}

export type CommandTable = ReturnType<typeof commandTable>;
export type CommandName = keyof CommandTable;

/** What a sender writes; a concept or rule as the configuration file has it. */
export type CommandRequest<N extends CommandName> = Readonly<z.input<CommandTable[N]["request"]>>;
/** What the node gets after it was checked. */
export type CheckedRequest<N extends CommandName> = Readonly<z.output<CommandTable[N]["request"]>>;
export type CommandResult<N extends CommandName> = Readonly<z.output<CommandTable[N]["result"]>>;

/** Does a command; the signal says that its time is over. A thrown `SenseError` becomes the answer. */
export type CommandHandlers = {
  readonly [N in CommandName]?: (
    request: CheckedRequest<N>,
    signal: AbortSignal,
  ) => CommandResult<N> | Promise<CommandResult<N>>;
};

/** The answer to a command. */
export const Reply = z.union([
  z.strictObject({ ok: z.literal(true), id, result: z.unknown() }),
  z.strictObject({
    ok: z.literal(false),
    id,
    error: z.strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() }),
  }),
]);
export type Reply = Readonly<z.infer<typeof Reply>>;
