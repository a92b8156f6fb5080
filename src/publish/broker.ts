import { readFileSync } from "node:fs";
import * as z from "zod";
import { SenseError } from "../core/errors.js";

/** Where a secret is; it is never written in the configuration itself. */
export const Secret = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type Secret = Readonly<z.infer<typeof Secret>>;

/** How to reach a broker: the `broker` section of sensebind.yaml. */
export const BrokerOptions = z.strictObject({
  url: z.string().regex(/^(mqtts?|wss?):\/\//, "use mqtt://, mqtts://, ws:// or wss://"),
  username: z.union([z.string(), Secret]).optional(),
  password: Secret.optional(),
  tls: z
    .strictObject({
      /** PEM files. */
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
      /** Protocols offered in the TLS handshake, for instance `x-amzn-mqtt-ca`. */
      alpn: z.array(z.string()).optional(),
    })
    .optional(),
});
export type BrokerOptions = Readonly<z.infer<typeof BrokerOptions>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** A broker with its secrets and certificates read. */
export interface Broker {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly alpn?: readonly string[];
}

/** Reads what the options only name. Throws `BAD_CONFIG` for an unset variable, `FILE_UNREADABLE` for a missing file. */
export function resolveBroker(options: BrokerOptions, environment: Environment = {}): Broker {
  const { tls = {} } = options;
  const { url, username, password } = splitUserinfo(options.url);
  return defined({
    url,
    username:
      typeof options.username === "object" ? secret(options.username, environment) : (options.username ?? username),
    password: options.password === undefined ? password : secret(options.password, environment),
    ca: tls.ca && readFile(tls.ca),
    cert: tls.cert && readFile(tls.cert),
    key: tls.key && readFile(tls.key),
    alpn: tls.alpn,
  }) as Broker;
}

function secret(source: Secret, environment: Environment): string {
  if ("file" in source)
    return readFile(source.file)
      .toString("utf8")
      .replace(/\r?\n$/, "");
  const value = environment[source.env];
  if (value !== undefined && value !== "") return value;
  throw new SenseError(
    "BAD_CONFIG",
    `the environment variable ${source.env}, which the broker section names, is not set`,
    {
      hint: `Set ${source.env}, or name a file instead.`,
    },
  );
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SenseError("FILE_UNREADABLE", `${path}, which the broker section names, cannot be read`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  }
}

function splitUserinfo(text: string): { url: string; username?: string | undefined; password?: string | undefined } {
  const url = parseUrl(text);
  const username = url.username === "" ? undefined : decodeURIComponent(url.username);
  const password = url.password === "" ? undefined : decodeURIComponent(url.password);
  return { url: withoutUserinfo(text), username, password };
}

/** A broker's URL as it may be logged or published: without user and password. */
export function withoutUserinfo(text: string): string {
  const url = parseUrl(text);
  url.username = "";
  url.password = "";
  return url.href.replace(/\/$/, "");
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    // The text is not repeated: it may hold a password.
    throw new SenseError("BAD_CONFIG", "the broker's url is not a URL", {
      hint: "Write it like mqtt://host:1883.",
      cause: cause instanceof Error ? cause.name : cause,
    });
  }
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/;

/** True for a host that no other machine can reach. */
export const isLoopback = (host: string): boolean => loopback.test(host);

/** True for a broker on this machine, by its URL. */
export const isLoopbackUrl = (url: string): boolean => isLoopback(parseUrl(url).hostname);

/** True for a broker that asks who one is, or that only this machine can reach. */
export const isTrusted = ({ url, password, cert }: Broker): boolean =>
  password !== undefined || cert !== undefined || isLoopbackUrl(url);

const defined = (values: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
