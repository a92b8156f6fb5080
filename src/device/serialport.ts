import { access, realpath } from "node:fs/promises";
import { SerialPort } from "serialport";
import { SenseError } from "../core/errors.js";
import { ms } from "../core/time.js";
import { pause } from "./pause.js";

/** How often it is checked that the device is still there. */
const nodeCheckMs = 200;

/** The lock of a port that was just closed is given back a moment after its close has ended: a second is waited for it. */
const lockTries = 20;
const lockPause = ms(50);

export interface SerialOptions {
  readonly path: string;
  readonly baud: number;
  readonly signal: AbortSignal;
}

export interface SerialLine extends AsyncDisposable {
  /** What comes, until the port is closed. Throws `DEVICE_ABSENT` when it is unplugged. */
  readonly bytes: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): void;
}

/** Opens a serial port. Throws `DEVICE_ABSENT` if it is not there, `DEVICE_FAILED` if it cannot be opened. */
export async function openSerial({ path, baud, signal }: SerialOptions): Promise<SerialLine> {
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false });
  const open = (): Promise<Error | null> => new Promise((resolve) => port.open(resolve));
  let cause = await open();
  for (let tries = 0; cause && /lock/i.test(cause.message) && tries < lockTries && !signal.aborted; tries++) {
    await pause(lockPause, signal);
    cause = await open();
  }
  if (cause) throw failure(path, cause);
  let closing: Promise<void> | undefined;
  /** Resolves when the lock on the port is given back, so that it can be opened again. */
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      if (port.isOpen) port.close(() => resolve());
      else resolve();
    });
    return closing;
  };
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) void close();
  let unplugged: Error | undefined;
  let ended = false;
  const end = (cause?: Error | null): void => {
    unplugged ??= cause ?? undefined;
    if (!ended) port.push(null);
    ended = true;
  };
  port.on("close", end);
  // A port that vanished may also fail to close, which is all that is heard of it then.
  port.on("error", end);
  // The library reads on at the end of a line that was hung up (read gives 0, it tries again), so the node is looked at too.
  const node = await realpath(path).catch(() => path);
  const watch = setInterval(() => {
    access(node).catch((cause: Error) => {
      end(cause);
      void close();
    });
  }, nodeCheckMs);
  watch.unref();
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of port as AsyncIterable<Uint8Array>) yield chunk;
    } catch (cause) {
      unplugged ??= cause as Error;
    }
    if (signal.aborted) return;
    throw new SenseError("DEVICE_ABSENT", `${path} was unplugged`, { hint: "Plug it in again.", cause: unplugged });
  }
  return {
    bytes: bytes(),
    write(data) {
      if (port.isOpen) port.write(data);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(watch);
      await close();
      signal.removeEventListener("abort", close);
    },
  };
}

/** Ports that a USB device or a UART stands behind, by the name that stays the same after a replug where there is one. */
export async function serialPorts(): Promise<readonly { path: string; title: string }[]> {
  const ports = await SerialPort.list();
  return ports
    .filter(({ vendorId, pnpId }) => vendorId !== undefined || pnpId !== undefined)
    .map(({ path, pnpId, manufacturer, vendorId, productId }) => ({
      path: pnpId === undefined ? path : `/dev/serial/by-id/${pnpId}`,
      title: [manufacturer, `${vendorId}:${productId}`, `at ${path}`].filter(Boolean).join(" "),
    }));
}

function failure(path: string, cause: Error): SenseError {
  if (/No such file|ENOENT|cannot open.*not found/i.test(cause.message)) {
    return new SenseError("DEVICE_ABSENT", `${path} is not there`, {
      hint: "Plug it in; `sensebind devices` lists the ports. Prefer /dev/serial/by-id/…: it stays the same.",
      cause,
    });
  }
  const hint = /Permission/i.test(cause.message)
    ? "Join the group that owns the port: sudo usermod -aG dialout $USER, then log in again."
    : "Another program may have the port open.";
  return new SenseError("DEVICE_FAILED", `${path} cannot be opened: ${cause.message}`, { hint, cause });
}
