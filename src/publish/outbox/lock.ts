import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpath } from "node:fs/promises";
import { createServer } from "node:net";
import { platform } from "node:os";
import { SenseError } from "../../core/errors.js";

/**
 * Holds a folder for this process: an abstract socket (Linux), which the kernel lets go of when the process dies in any
 * way. Throws `OUTBOX_IN_USE`. Elsewhere nothing is locked.
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.destroy());
  if (platform() === "linux") {
    const name = createHash("sha256")
      .update(await realpath(folder))
      .digest("hex")
      .slice(0, 32);
    server.listen(`\0sensebind-outbox-${name}`).unref();
    try {
      await once(server, "listening");
    } catch (cause) {
      throw new SenseError("OUTBOX_IN_USE", `another process uses the outbox in ${folder}`, {
        hint: "One node, one outbox: end the other process or give this one its own `state` folder.",
        cause,
      });
    }
  }
  return {
    async [Symbol.asyncDispose]() {
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
