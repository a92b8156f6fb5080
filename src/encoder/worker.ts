import { parentPort } from "node:worker_threads";
import { isSenseError, SenseError } from "../core/errors.js";
import { type Graph, loadGraph, providers } from "./onnxruntime.js";
import type { Answer, Failure, Order, Reply, Request } from "./protocol.js";
import { pack } from "./protocol.js";
import type { Signature } from "./queued-session.js";

if (parentPort === null) throw new SenseError("RUNTIME_FAILED", "this file is the entry of a worker thread");
const port = parentPort;
const graphs = new Map<number, Graph>();

port.on("message", async (request: Request) => {
  try {
    if (request.kind === "run") {
      const { tensors: answer, buffers } = pack(await graphOf(request.session).run(request.feeds));
      port.postMessage({ kind: "done", id: request.id, answer } satisfies Reply, buffers);
    } else {
      port.postMessage({ kind: "done", id: request.id, answer: await obey(request) } satisfies Reply);
    }
  } catch (error) {
    port.postMessage({ kind: "failed", id: request.id, failure: failureOf(error) } satisfies Reply);
  }
});
port.postMessage({ kind: "ready", providers: providers() } satisfies Reply);

async function obey(order: Exclude<Order, { kind: "run" }>): Promise<Answer> {
  switch (order.kind) {
    case "load": {
      const graph = await loadGraph(order.path, order.options);
      graphs.set(order.session, graph);
      return signatureOf(graph);
    }
    case "release": {
      // A thread that was started again has none of the graphs that were given up meanwhile.
      await graphs.get(order.session)?.release();
      graphs.delete(order.session);
      return undefined;
    }
    case "close": {
      for (const graph of graphs.values()) await graph.release();
      port.close();
      return undefined;
    }
    default:
      return order satisfies never;
  }
}

function graphOf(session: number): Graph {
  const graph = graphs.get(session);
  if (graph === undefined) throw new SenseError("RUNTIME_FAILED", `session ${session} is not loaded`);
  return graph;
}

function signatureOf({ inputs, outputs }: Graph): Signature {
  return {
    inputs: inputs.map(({ name }) => name),
    outputs,
    shapes: Object.fromEntries(inputs.map(({ name, dims }) => [name, dims])),
  };
}

function failureOf(error: unknown): Failure {
  if (isSenseError(error)) return { code: error.code, message: error.message, hint: error.hint };
  return { code: "RUNTIME_FAILED", message: error instanceof Error ? error.message : String(error), hint: undefined };
}
