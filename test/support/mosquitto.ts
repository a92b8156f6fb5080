import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = ["/usr/sbin/mosquitto", "mosquitto"].find((path) => spawnSync(path, ["-h"]).error === undefined);

/** Tests that need the real broker say so in their name when it is not there. */
export const noMosquitto = program === undefined;
export const mosquittoNote = noMosquitto ? " (SKIPPED: mosquitto is not installed; apt-get install mosquitto)" : "";

export interface Mosquitto extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Stops it, -9 unless told otherwise. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port; what it did not write to disk is gone. */
  start(): Promise<void>;
}

export interface MosquittoOptions {
  /** Lines of mosquitto.conf; `$PORT` is the port, `$FOLDER` a folder of its own. */
  readonly config?: readonly string[];
  readonly scheme?: string;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A WebSocket listener; mosquitto 2.0.11 does not start with that alone. */
export const websockets = [
  "listener 0 $FOLDER/socket",
  "listener $PORT 127.0.0.1",
  "protocol websockets",
  "allow_anonymous true",
];

const open = ["listener $PORT 127.0.0.1", "allow_anonymous true"];

/** A real mosquitto on a random port of loopback. */
export async function startMosquitto({ config = open, scheme = "mqtt" }: MosquittoOptions = {}): Promise<Mosquitto> {
  const folder = await mkdtemp(join(tmpdir(), "sensebind-mosquitto-"));
  const port = await freePort();
  const file = join(folder, "mosquitto.conf");
  const text = [...config, "persistence false", "user root", "max_queued_messages 0"].join("\n");
  await writeFile(file, `${text.replaceAll("$PORT", String(port)).replaceAll("$FOLDER", folder)}\n`);
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const started = spawn(program!, ["-c", file, "-v"], { stdio: ["ignore", "ignore", "pipe"] });
    child = started;
    let log = "";
    await new Promise<void>((resolve, reject) => {
      started.stderr!.on("data", (chunk: Buffer) => {
        if (log.length < 1e5) log += chunk.toString();
        if (log.includes(" running")) resolve();
      });
      started.once("exit", (code) => reject(new Error(`mosquitto ended with ${code}: ${log}`)));
    });
  }

  async function kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const gone = once(ending, "exit");
    ending.kill("SIGCONT");
    ending.kill(signal);
    await gone;
  }

  await start();
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    kill,
    freeze: () => void child!.kill("SIGSTOP"),
    thaw: () => void child!.kill("SIGCONT"),
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
