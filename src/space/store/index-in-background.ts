import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Log } from "../../core/log.js";
import type { IndexOrder } from "./index-worker.js";
import type { Store } from "./store.js";

/**
 * Keeps the index of a store up to date in a thread of its own: now, and after every segment that is full. A build that
 * fails is told and tried again with the next segment; the search does without it.
 */
export function indexInBackground(store: Store, log: Pick<Log, "info" | "warn">): AsyncDisposable {
  let worker: Worker | undefined;
  let again = false;
  const start = (): void => {
    if (worker) {
      again = true;
      return;
    }
    const order: IndexOrder = { folder: store.folder, dim: store.dim };
    worker = new Worker(workerEntry(), { workerData: order });
    worker.unref();
    worker.once("message", () => {
      store.index.refresh();
      log.info({ folder: store.folder }, "the index of the store is built");
    });
    worker.once("error", (error) => log.warn({ error: String(error) }, "the index of the store was not built"));
    worker.once("exit", () => {
      worker = undefined;
      if (again) start();
      again = false;
    });
  };
  start();
  store.onSealed = start;
  return {
    async [Symbol.asyncDispose]() {
      store.onSealed = undefined;
      again = false;
      await worker?.terminate();
    },
  };
}

/** A worker thread runs compiled JavaScript: seen from the TypeScript sources (tests, tsx) that is the one in dist/. */
function workerEntry(): URL {
  const fromSources = fileURLToPath(import.meta.url).endsWith(".ts");
  return new URL(fromSources ? "../../../dist/src/space/store/index-worker.js" : "./index-worker.js", import.meta.url);
}
