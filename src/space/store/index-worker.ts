import { parentPort, workerData } from "node:worker_threads";
import { type BuildOptions, buildIndex } from "./build-index.js";

/** What the thread is told: the store's folder, and of which form it is. */
export interface IndexOrder extends BuildOptions {
  readonly folder: string;
}

const { folder, ...options } = workerData as IndexOrder;
buildIndex(folder, options);
parentPort?.postMessage("done");
