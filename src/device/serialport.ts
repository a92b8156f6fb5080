import { SerialPort } from "serialport";
import { SenseError } from "../core/errors.js";

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
  await new Promise<void>((resolve, reject) => {
    port.open((cause) => (cause ? reject(failure(path, cause)) : resolve()));
  });
  const close = (): void => {
    if (port.isOpen) port.close();
  };
  signal.addEventListener("abort", close, { once: true });
  if (signal.aborted) close();
  let unplugged: Error | undefined;
  port.on("close", (cause: Error | null) => {
    unplugged ??= cause ?? undefined;
    port.push(null);
  });
  port.on("error", (cause) => {
    unplugged ??= cause;
  });
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
      if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
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
