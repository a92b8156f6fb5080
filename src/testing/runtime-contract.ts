import assert from "node:assert/strict";
import { isSenseError } from "../core/errors.js";
import { tensor } from "../core/tensor.js";
import type { Feeds, Runtime } from "../encoder/runtime.js";

/** Small graphs, as files, that the contract runs. */
export interface ContractGraphs {
  /** `y = 2 x + 1`; x and y are float32 `[n, 3]`, n free. */
  readonly affine: string;
  /** Gives back `ids` (int64 `[n]`) as `ids_out` and `half` (float16 `[n]`) as `half_out`. */
  readonly types: string;
  /** float32 `x` `[1]` to `y` `[1]`, unchanged, after some tens of milliseconds of arithmetic or more. */
  readonly slow: string;
  /** A file that is no model. */
  readonly broken: string;
}

/** A promise that every implementation keeps, and the check of it; rejects where it does not. */
export interface ContractCase {
  readonly promise: string;
  check(): Promise<void>;
}

/** What every `Runtime` must keep: run each case as a test of its own. */
export function runtimeContract(open: () => Promise<Runtime>, graphs: ContractGraphs): readonly ContractCase[] {
  const during = (promise: string, body: (runtime: Runtime) => Promise<void>): ContractCase => ({
    promise,
    async check() {
      await using runtime = await open();
      await body(runtime);
    },
  });
  return [
    during("a graph tells its inputs, outputs and shapes", async (runtime) => {
      await using session = await runtime.load(graphs.affine);
      assert.deepEqual([session.inputs, session.outputs], [["x"], ["y"]]);
      assert.deepEqual(session.shapes.x?.[1], 3);
      assert.equal(typeof session.shapes.x?.[0], "string");
    }),
    during("a run gives what the graph computes, for any length of a free dimension", async (runtime) => {
      await using session = await runtime.load(graphs.affine);
      for (const rows of [1, 2, 7]) {
        const { y } = await session.run(ramp(rows));
        assert.deepEqual(
          y,
          tensor(
            [rows, 3],
            Float32Array.from({ length: rows * 3 }, (_, i) => 2 * i + 1),
          ),
        );
      }
    }),
    during("int64 and float16 pass unchanged, as BigInt64Array and as 16 bits", async (runtime) => {
      await using session = await runtime.load(graphs.types);
      const ids = BigInt64Array.of(-1n, 2n ** 53n + 1n);
      const half = Uint16Array.of(0x3c00, 0xc000, 0x7bff);
      const out = await session.run({ ids: tensor([2], ids.slice()), half: tensor([3], half.slice()) });
      assert.deepEqual(out, { ids_out: tensor([2], ids), half_out: tensor([3], half) });
    }),
    during("a view into a larger buffer is run without taking the buffer from its owner", async (runtime) => {
      await using session = await runtime.load(graphs.affine);
      const whole = Float32Array.of(9, 1, 2, 3, 9);
      const { y } = await session.run({ x: tensor([1, 3], whole.subarray(1, 4)) });
      assert.deepEqual([...(y?.data ?? [])], [3, 5, 7]);
      assert.deepEqual([...whole], [9, 1, 2, 3, 9]);
    }),
    during("runs side by side each get their own answer", async (runtime) => {
      await using session = await runtime.load(graphs.affine, { copies: 2 });
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => session.run(constant(i))));
      answers.forEach(({ y }, i) => {
        assert.deepEqual([...(y?.data ?? [])], [2 * i + 1, 2 * i + 1, 2 * i + 1]);
      });
    }),
    during("a wrong shape is MODEL_MISMATCH with both shapes, before anything runs", async (runtime) => {
      await using session = await runtime.load(graphs.affine);
      const error = await failure(session.run({ x: tensor([2, 4], new Float32Array(8)) }));
      assert.ok(isSenseError(error, "MODEL_MISMATCH"), String(error));
      assert.match(error.message, /3\].*\[2, 4\]/);
    }),
    during("a missing input or one of another type is MODEL_MISMATCH and is named", async (runtime) => {
      await using session = await runtime.load(graphs.affine);
      for (const feeds of [{}, { x: tensor([1, 3], Int32Array.of(1, 2, 3)) }]) {
        const error = await failure(session.run(feeds));
        assert.ok(isSenseError(error, "MODEL_MISMATCH"), String(error));
        assert.match(error.message, /"x"/);
      }
    }),
    during("a file that is no model, or none at all, is RUNTIME_FAILED", async (runtime) => {
      for (const path of [graphs.broken, `${graphs.broken}.missing`]) {
        assert.ok(isSenseError(await failure(runtime.load(path)), "RUNTIME_FAILED"));
      }
    }),
    during(
      "an execution provider that the runtime lacks is refused with a hint that lists the real ones",
      async (runtime) => {
        const error = await failure(runtime.load(graphs.affine, { providers: ["npu-of-tomorrow"] }));
        assert.ok(isSenseError(error, "BAD_ARGUMENT"), String(error));
        for (const provider of runtime.providers) assert.ok(error.hint?.includes(provider));
      },
    ),
    during("an aborted run rejects at once with the signal's reason, and the session goes on", async (runtime) => {
      await using session = await runtime.load(graphs.slow);
      const reason = new Error("enough");
      assert.equal(await failure(session.run(one(), AbortSignal.abort(reason))), reason);
      const stop = new AbortController();
      const runs = [1, 2, 3].map(() => failure(session.run(one(), stop.signal)));
      stop.abort(reason);
      assert.deepEqual(await Promise.all(runs), [reason, reason, reason]);
      assert.deepEqual((await session.run(one())).y, tensor([1], Float32Array.of(1)));
    }),
    during("a run more than the queue holds is RUNTIME_BUSY; the others are run", async (runtime) => {
      await using session = await runtime.load(graphs.slow, { queue: 1 });
      const runs = await Promise.allSettled(Array.from({ length: 6 }, () => session.run(one())));
      const refused = runs.flatMap((run) => (run.status === "rejected" ? [run.reason as unknown] : []));
      assert.ok(refused.length > 0 && refused.length < runs.length);
      for (const error of refused) assert.ok(isSenseError(error, "RUNTIME_BUSY"), String(error));
    }),
    during("timers of the calling thread go on while a graph runs", async (runtime) => {
      await using session = await runtime.load(graphs.slow);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await session.run(one());
      clearInterval(timer);
      assert.ok(ticks >= 3, `${ticks} ticks of 5 ms during a run`);
    }),
    during("a closed session runs nothing more", async (runtime) => {
      const session = await runtime.load(graphs.affine);
      await session[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
      assert.ok(isSenseError(await failure(session.run(ramp(1))), "RUNTIME_FAILED"));
    }),
  ];
}

const ramp = (rows: number): Feeds => ({
  x: tensor(
    [rows, 3],
    Float32Array.from({ length: rows * 3 }, (_, i) => i),
  ),
});
const constant = (value: number): Feeds => ({ x: tensor([1, 3], new Float32Array(3).fill(value)) });
const one = (): Feeds => ({ x: tensor([1], Float32Array.of(1)) });

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => assert.fail("it should have been refused"),
    (error: unknown) => error,
  );
