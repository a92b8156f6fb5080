import type * as z from "zod";
import { isSenseError, SenseError } from "../core/errors.js";
import type { Log } from "../core/log.js";
import { type Duration, s } from "../core/time.js";
import {
  type CommandHandlers,
  type CommandName,
  type CommandTable,
  commandTable,
  type Reply,
  type Settable,
} from "./commands.js";
import type { Incoming } from "./mqtt.js";
import type { Packet } from "./packet.js";
import { parseTopic, prefix, type Topics } from "./topics.js";

export interface CommandOptions extends Settable {
  readonly handlers: CommandHandlers;
  /** A command that takes longer is answered with `COMMAND_TIMEOUT`; 10 s unless given. */
  readonly deadline?: Duration;
}

interface ServerOptions extends CommandOptions {
  readonly topics: Topics;
  readonly send: (packet: Packet) => boolean;
  readonly log: Log;
}

/** Commands under way at once; further ones are answered with `COMMAND_BUSY`. */
const mostAtOnce = 16;
const largest = 2 ** 20;

/** Answers commands: each is checked, has a deadline and gets an answer, however busy the node is. */
export function serveCommands(options: ServerOptions): (message: Incoming) => void {
  const { topics, send, log } = options;
  const table = commandTable(options);
  let underWay = 0;

  async function answer(message: Incoming): Promise<void> {
    const sent = requestOf(message.payload);
    const id = idOf(sent);
    const topic = replyTopic(message, id, topics);
    const name = parseTopic(message.topic)?.name ?? "";
    const respond = (reply: Reply) => {
      const { correlationData } = message;
      const sentOff =
        topic !== undefined &&
        send({
          topic,
          payload: Buffer.from(JSON.stringify(reply)),
          qos: 1,
          retain: false,
          correlationData,
          contentType,
        });
      if (!sentOff)
        log.warn({ command: name }, "a command got no answer: it named no topic for it, or the link is lost");
    };
    underWay++;
    try {
      if (underWay > mostAtOnce) throw busy(name);
      const result = await perform(name, sent, {
        table,
        handlers: options.handlers,
        deadline: options.deadline ?? s(10),
      });
      respond({ ok: true, ...(id === undefined ? {} : { id }), result });
    } catch (error) {
      if (!isSenseError(error)) log.error({ command: name, error }, "a command failed");
      const { code, message, hint } = isSenseError(error) ? error : failed(name);
      const told = { code, message, ...(hint === undefined ? {} : { hint }) };
      respond({ ok: false, ...(id === undefined ? {} : { id }), error: told });
    } finally {
      underWay--;
    }
  }

  return (message) => {
    // A retained command would be done again on every new connection.
    if (message.retain) log.warn({ topic: message.topic }, "a retained command is not done");
    else void answer(message);
  };
}

const contentType = "application/json";

interface Performance {
  readonly table: CommandTable;
  readonly handlers: CommandHandlers;
  readonly deadline: Duration;
}

async function perform(name: string, sent: unknown, { table, handlers, deadline }: Performance): Promise<unknown> {
  if (!isCommand(name, table) || handlers[name] === undefined) {
    const offered = Object.keys(handlers).sort().join(", ");
    throw new SenseError("COMMAND_UNKNOWN", `this node has no command ${name}`, { hint: `It has: ${offered}.` });
  }
  const { success, data, error } = (table[name].request as z.ZodType).safeParse(sent);
  if (!success) throw malformed(name, error.issues);
  const handler = handlers[name] as (request: unknown, signal: AbortSignal) => unknown;
  const late = AbortSignal.timeout(deadline / 1e3);
  const expired = new Promise<never>((_resolve, reject) => {
    late.addEventListener("abort", () => reject(tooLate(name, deadline)), { once: true });
  });
  const done = async () => handler(data, late);
  return await Promise.race([done(), expired]);
}

const isCommand = (name: string, table: CommandTable): name is CommandName => Object.hasOwn(table, name);

function requestOf(payload: Uint8Array): unknown {
  if (payload.length > largest) return undefined;
  try {
    return payload.length === 0 ? {} : JSON.parse(Buffer.from(payload).toString());
  } catch {
    // No JSON: the schema refuses `undefined`, with a hint.
    return undefined;
  }
}

function idOf(sent: unknown): string | undefined {
  const id = typeof sent === "object" && sent !== null && "id" in sent ? sent.id : undefined;
  return typeof id === "string" && /^[a-z0-9_-]{1,64}$/.test(id) ? id : undefined;
}

/**
 * Where an answer goes. A sender may not make the node write where only the node writes (its events, its states) or where
 * Home Assistant reads: below `sensebind/` only this node's replies are allowed.
 */
function replyTopic({ responseTopic }: Incoming, id: string | undefined, topics: Topics): string | undefined {
  if (responseTopic === undefined) return id === undefined ? undefined : topics.reply(id);
  const own = responseTopic.startsWith(`${topics.root}/reply/`);
  const forbidden = /[+#\0]/.test(responseTopic) || /^(\$|homeassistant\/)/.test(responseTopic);
  return forbidden || (responseTopic.startsWith(`${prefix}/`) && !own) ? undefined : responseTopic;
}

function malformed(name: string, issues: readonly z.core.$ZodIssue[]): SenseError {
  const [issue] = issues;
  const where = issue!.path.join(".") || "the payload";
  return new SenseError("BAD_COMMAND", `${name}: ${where}: ${issue!.message}`, {
    hint: "docs/mqtt.md has the form of each command; nothing was changed.",
  });
}

const busy = (name: string): SenseError =>
  new SenseError("COMMAND_BUSY", `${name}: ${mostAtOnce} commands are under way`, { hint: "Try again in a moment." });

const tooLate = (name: string, deadline: Duration): SenseError =>
  new SenseError("COMMAND_TIMEOUT", `${name} was not done within ${deadline / 1e6} s`, {
    hint: "The node may be busy.",
  });

const failed = (name: string): SenseError =>
  new SenseError("COMMAND_FAILED", `${name} failed`, { hint: "The node's log has the reason." });
