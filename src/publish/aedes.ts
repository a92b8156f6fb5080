import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Aedes } from "aedes";
import { SenseError } from "../core/errors.js";
import { isLoopback } from "./broker.js";

export interface EmbeddedBrokerOptions {
  /** Loopback unless told otherwise, and then only with a user and a password. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
}

export interface EmbeddedBroker extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** Starts an MQTT 3.1.1 broker in this process. Throws `BAD_CONFIG` if it would be open to the network without a password. */
export async function startBroker(options: EmbeddedBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { host = "127.0.0.1", port = 0, username, password } = options;
  if (!isLoopback(host) && (username === undefined || password === undefined)) {
    throw new SenseError("BAD_CONFIG", `the embedded broker would be open to everyone on ${host}`, {
      hint: "Give it a user and a password, or leave it on 127.0.0.1.",
    });
  }
  const broker = await Aedes.createBroker({
    authenticate: (_client, user, secret, done) => {
      const known = password === undefined || (user === username && same(secret, password));
      // 4: bad user name or password (MQTT 3.1.1, 3.2.2.3).
      if (known) done(null, true);
      else done(Object.assign(new Error("bad user name or password"), { returnCode: 4 }), false);
    },
  });
  const server = createServer(broker.handle);
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (cause) {
    broker.close();
    throw new SenseError("BROKER_UNREACHABLE", `the embedded broker cannot listen on ${host}:${port}`, {
      hint: "Another program may use that port; give 0 for any free one.",
      cause,
    });
  }
  const bound = (server.address() as AddressInfo).port;
  return {
    host,
    port: bound,
    url: `mqtt://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${bound}`,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => broker.close(resolve));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function same(given: Buffer | undefined, expected: string): boolean {
  const wanted = Buffer.from(expected);
  return given !== undefined && given.length === wanted.length && timingSafeEqual(given, wanted);
}
