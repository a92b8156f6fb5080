import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pickledDict, pickledTensor, saveTorch, TorchZipWriter } from "../../../models/build/torch-file.js";
import { packageFile } from "../../../src/cli/package.js";
import { isSenseError, type SenseError } from "../../../src/core/errors.js";
import { importImageBind } from "../../../src/encoder/import/imagebind/import.js";
import { openCheckpoint } from "../../../src/encoder/import/open.js";
import type { Runtime } from "../../../src/encoder/runtime.js";
import { workerRuntime } from "../../../src/encoder/worker-runtime.js";
import { tinyModels } from "./tiny-models.js";

const [tiny] = tinyModels();
const encoder = new TextEncoder();
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

let folder: string;
let runtime: Runtime;
let count = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sensebind-hostile-"));
  runtime = await workerRuntime();
});
afterAll(async () => {
  await runtime[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
const path = (): string => join(folder, `file-${count++}.pth`);

async function refusal(work: Promise<unknown>): Promise<SenseError> {
  try {
    await work;
  } catch (error) {
    if (isSenseError(error)) return error;
    throw error;
  }
  throw new Error("was not refused");
}

/** A torch file of the given entries under archive/. */
async function archive(entries: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const file = path();
  await using zip = await TorchZipWriter.create(file);
  for (const [name, data] of Object.entries(entries)) await zip.add(`archive/${name}`, data);
  await zip.finish();
  return file;
}

const open = async (file: string) => (await openCheckpoint(file))[Symbol.asyncDispose]();

describe("a pickle", () => {
  /** c<module> system, the command, TUPLE1 and REDUCE: what `pickle.dumps` makes of an object whose __reduce__ says so. */
  const system = (module: string, command: string) =>
    Uint8Array.from([
      0x80,
      2,
      ...encoder.encode(`c${module}\nsystem\nX`),
      command.length,
      0,
      0,
      0,
      ...encoder.encode(command),
      0x85,
      0x52,
      0x2e,
    ]);

  test.each(["os", "posix", "builtins"])(
    "that calls %s.system is refused by that name and runs nothing",
    async (module) => {
      const proof = join(folder, "proof");
      const code = system(module, proof);
      code[0] = 0x80;
      const error = await refusal(open(await archive({ "data.pkl": code })));
      expect(error).toMatchObject({ code: "BAD_CHECKPOINT" });
      expect(error.message).toContain(`${module}.system`);
      expect(existsSync(proof)).toBe(false);
    },
  );

  test.each([
    ["a call of an allowed name that is no function", "\x80\x02ctorch\nFloatStorage\n)R."],
    ["an instruction that makes instances", "\x80\x02(ios\nsystem\n."],
    ["an unknown instruction", "\x80\x02\xff."],
    ["nothing on its stack", "\x80\x02."],
    ["a memo that was never made", "\x80\x02h\x07."],
    ["no end", "\x80\x02}"],
    ["a string longer than the file", "\x80\x02X\xff\xff\xff\x7fabc."],
    ["no tensors", "\x80\x02}."],
    ["a list that holds itself", "\x80\x02]q\x00h\x00a."],
    ["items for something that is no dict", "\x80\x02K\x01K\x02K\x03s."],
    ["a state for something that is no dict", "\x80\x02]K\x01b."],
  ])("with %s is refused", async (_, text) => {
    const code = Uint8Array.from(text, (char) => char.charCodeAt(0));
    expect(await refusal(open(await archive({ "data.pkl": code })))).toMatchObject({ code: "BAD_CHECKPOINT" });
  });
});

describe("a tensor", () => {
  const dict = (dims: readonly number[], length: number) =>
    pickledDict([["audio.weight", pickledTensor("0", dims, length)]]);

  test.each([
    ["whose storage is too short", dict([2, 4], 8), floats(1, 2, 3)],
    ["that says it has 10 GB", dict([50_000, 50_000], 2_500_000_000), floats(1, 2, 3)],
    ["whose storage says it is shorter than the tensor", dict([4], 2), floats(1, 2, 3, 4)],
  ])("%s is refused by its name", async (_, pickle, data) => {
    const error = await refusal(open(await archive({ "data.pkl": pickle, "data/0": data })));
    expect(error).toMatchObject({ code: "BAD_CHECKPOINT" });
    expect(error.message).toContain("audio.weight");
  });

  test("without a storage in the file is refused by its name", async () => {
    const error = await refusal(open(await archive({ "data.pkl": dict([4], 4) })));
    expect(error.message).toContain("audio.weight");
  });
});

describe("a zip archive", () => {
  const whole = async (): Promise<string> => {
    const file = path();
    await saveTorch(file, [
      { name: "a", dims: [64], data: () => new Float32Array(64).fill(1) },
      { name: "b", dims: [64], data: () => new Float32Array(64).fill(2) },
    ]);
    return file;
  };
  const patch = async (change: (bytes: Buffer) => void): Promise<string> => {
    const file = await whole();
    const bytes = await readFile(file);
    change(bytes);
    await writeFile(file, bytes);
    return file;
  };
  /** Position of the n-th entry of the central directory. */
  const central = (bytes: Buffer, n: number): number => {
    let at = -1;
    for (let i = 0; i <= n; i++) at = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]), at + 1);
    return at;
  };

  test("as it should be is read", async () => {
    await using checkpoint = await openCheckpoint(await whole());
    expect((await checkpoint.floats("b")).data[63]).toBe(2);
  });

  test("cut off anywhere is refused", async () => {
    const { length } = await readFile(await whole());
    for (let keep = 0; keep < length; keep += 37) {
      const file = await whole();
      await truncate(file, keep);
      expect((await refusal(open(file))).code).toBe("BAD_CHECKPOINT");
    }
  });

  test("with entries that overlap is refused with their names", async () => {
    const file = await patch((bytes) => {
      // The third entry, data/0, gets a length that runs into the fourth, data/1.
      const at = central(bytes, 2);
      bytes.writeUInt32LE(700, at + 20);
      bytes.writeUInt32LE(700, at + 24);
    });
    const error = await refusal(open(file));
    expect(error.message).toMatch(/archive\/data\/1 overlaps archive\/data\/0/);
  });

  test("with two entries at one place is refused", async () => {
    const file = await patch((bytes) => {
      bytes.writeUInt32LE(bytes.readUInt32LE(central(bytes, 2) + 42), central(bytes, 3) + 42);
    });
    expect((await refusal(open(file))).message).toMatch(/overlaps/);
  });

  test("with an entry that says it has 4 GB is refused by its name", async () => {
    const file = await patch((bytes) => {
      const at = central(bytes, 3);
      bytes.writeUInt32LE(0xfffffff0, at + 20);
      bytes.writeUInt32LE(0xfffffff0, at + 24);
    });
    expect((await refusal(open(file))).message).toMatch(/archive\/data\/1 says it has 4294967280 bytes/);
  });

  test("with compressed entries is refused", async () => {
    const file = await patch((bytes) => bytes.writeUInt16LE(8, central(bytes, 3) + 10));
    expect((await refusal(open(file))).message).toMatch(/compressed/);
  });

  test("with any one byte of its directory and headers changed is read or refused, never worse", async () => {
    const bytes = await readFile(await whole());
    for (let at = 0; at < bytes.length; at += 11) {
      const file = await patch((copy) => copy.writeUInt8(copy[at]! ^ 0x5a, at));
      try {
        await open(file);
      } catch (error) {
        expect(isSenseError(error, "BAD_CHECKPOINT"), `byte ${at}: ${String(error)}`).toBe(true);
      }
    }
  });
});

describe("a safetensors file", () => {
  const file = async (header: unknown, data: Uint8Array, length?: bigint): Promise<string> => {
    const text = encoder.encode(typeof header === "string" ? header : JSON.stringify(header));
    const size = new Uint8Array(BigInt64Array.of(length ?? BigInt(text.length)).buffer);
    const name = path();
    await writeFile(name, Buffer.concat([size, text, data]));
    return name;
  };
  const entry = (shape: number[], data_offsets: number[]) => ({ dtype: "F32", shape, data_offsets });

  test("as it should be is read, bfloat16 included", async () => {
    const header = {
      w: entry([2], [0, 8]),
      h: { dtype: "BF16", shape: [1], data_offsets: [8, 10] },
      __metadata__: { format: "pt" },
    };
    const bf16 = Uint8Array.of(0x80, 0x3f);
    await using checkpoint = await openCheckpoint(await file(header, Buffer.concat([floats(3, 4), bf16])));
    expect([...(await checkpoint.floats("w")).data]).toEqual([3, 4]);
    expect([...(await checkpoint.floats("h")).data]).toEqual([1]);
  });

  test.each([
    [
      "a header of 10 GB",
      () => file({ w: entry([1], [0, 4]) }, floats(1), 10_000_000_000n),
      /header has 10000000000 bytes/,
    ],
    [
      "a tensor of 10 GB",
      () => file({ "big.weight": entry([50_000, 50_000], [0, 10_000_000_000]) }, floats(1)),
      /big\.weight/,
    ],
    [
      "a shape that does not fit its bytes",
      () => file({ "odd.weight": entry([3], [0, 8]) }, floats(1, 2)),
      /odd\.weight/,
    ],
    [
      "tensors that overlap",
      () => file({ a: entry([2], [0, 8]), b: entry([2], [4, 12]) }, floats(1, 2, 3)),
      /b overlaps a/,
    ],
    [
      "an unknown type",
      () => file({ w: { dtype: "F4", shape: [1], data_offsets: [0, 4] } }, floats(1)),
      /w has type F4/,
    ],
    ["no JSON", () => file("{nonsense", floats(1)), /not safetensors JSON/],
  ])("with %s is refused", async (_, made, message) => {
    const error = await refusal(open(await made()));
    expect(error.code).toBe("BAD_CHECKPOINT");
    expect(error.message).toMatch(message);
  });
});

describe("an ImageBind checkpoint", () => {
  const read = async () => {
    await using checkpoint = await openCheckpoint(tiny!.checkpoint);
    const tensors = new Map<string, { dims: readonly number[]; data: Float32Array }>();
    for (const name of checkpoint.tensors.keys()) tensors.set(name, await checkpoint.floats(name));
    return tensors;
  };
  type Tensors = Awaited<ReturnType<typeof read>>;

  const importing = async (change: (tensors: Tensors) => void, prefix = "") => {
    const tensors = await read();
    change(tensors);
    const file = path();
    await saveTorch(
      file,
      [...tensors].map(([name, { dims, data }]) => ({ name: prefix + name, dims, data: () => data })),
    );
    const out = join(folder, `out-${count++}`);
    const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
    return { out, done: importImageBind(file, { out, config: tiny!.config, vocabulary, runtime }) };
  };

  const key = "modality_trunks.audio.blocks.1.mlp.fc1.bias";
  test.each<[string, (tensors: Tensors) => void, string]>([
    ["a missing tensor", (t) => t.delete(key), key],
    [
      "a missing last block",
      (t) => [...t.keys()].filter((k) => k.includes("imu.blocks.2.")).map((k) => t.delete(k)),
      "modality_trunks.imu.blocks.2.",
    ],
    [
      "an extra tensor",
      (t) => t.set("modality_trunks.audio.blocks.1.extra", { dims: [1], data: new Float32Array(1) }),
      "modality_trunks.audio.blocks.1.extra",
    ],
    [
      "a tensor of something else",
      (t) => t.set("optimizer.step", { dims: [1], data: new Float32Array(1) }),
      "optimizer.step",
    ],
    ["a tensor of another shape", (t) => t.set(key, { dims: [3], data: new Float32Array(3) }), key],
    ["a NaN", (t) => t.get(key)!.data.fill(Number.NaN, 3, 4), `${key} holds NaN at element 3`],
    ["an infinity", (t) => t.get(key)!.data.fill(Infinity, 0, 1), `${key} holds Infinity`],
    [
      "a NaN as its scale",
      (t) => t.get("modality_postprocessors.audio.1.log_logit_scale")!.data.fill(Number.NaN),
      "modality_postprocessors.audio.1.log_logit_scale",
    ],
    [
      "a mask that is not causal",
      (t) => t.get("modality_preprocessors.text.mask")!.data.fill(0),
      "modality_preprocessors.text.mask",
    ],
  ])("with %s is refused by its name and leaves nothing behind", async (_, change, name) => {
    const { out, done } = await importing(change);
    const error = await refusal(done);
    expect(error.code).toBe("BAD_CHECKPOINT");
    expect(error.message).toContain(name);
    expect(existsSync(out)).toBe(false);
    expect(existsSync(`${out}.part`)).toBe(false);
  });

  test("may have a prefix before every name", async () => {
    const { out, done } = await importing(() => {}, "module.model.");
    await done;
    expect(await readdir(out)).toContain("manifest.json");
  });

  test("never overwrites a folder that is there", async () => {
    const { out, done } = await importing(() => {});
    await done;
    const before = await readFile(join(out, "manifest.json"), "utf8");
    const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
    const again = importImageBind(tiny!.checkpoint, { out, config: tiny!.config, vocabulary, runtime });
    expect((await refusal(again)).code).toBe("BAD_ARGUMENT");
    expect(await readFile(join(out, "manifest.json"), "utf8")).toBe(before);
  });

  test("interrupted in the middle goes on where it was, and gives the same files", async () => {
    const out = join(folder, "resumed");
    const vocabulary = packageFile("models", "clip", "bpe_simple_vocab_16e6.txt.gz");
    const options = { out, config: tiny!.config, vocabulary, runtime };
    const abort = new AbortController();
    const stopped = importImageBind(tiny!.checkpoint, {
      ...options,
      signal: abort.signal,
      onProgress: ({ tower }) => tower === "audio" && abort.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(existsSync(out)).toBe(false);
    const steps: string[] = [];
    const manifest = await importImageBind(tiny!.checkpoint, {
      ...options,
      onProgress: ({ tower }) => steps.push(tower),
    });
    // A tower that is there already is told of once; one that is written, with each tensor.
    expect(steps.filter((tower) => tower === "vision")).toHaveLength(1);
    expect(steps.filter((tower) => tower === "audio").length).toBeGreaterThan(10);
    const fresh = await importImageBind(tiny!.checkpoint, { ...options, out: join(folder, "fresh") });
    const hashes = ({ files }: typeof fresh) =>
      Object.fromEntries(Object.entries(files).filter(([file]) => file.includes(".onnx")));
    expect(hashes(manifest)).toEqual(hashes(fresh));
  });
});

test("Python's zipfile and pickletools understand the files that these tests write", async () => {
  const file = path();
  await saveTorch(file, [{ name: "w", dims: [2, 3], data: () => new Float32Array(6).fill(1) }]);
  const script =
    "import sys,zipfile,pickletools;z=zipfile.ZipFile(sys.argv[1]);assert z.testzip() is None;pickletools.dis(z.read('archive/data.pkl'))";
  expect(execFileSync("python3", ["-c", script, file], { encoding: "utf8" })).toContain(
    "highest protocol among opcodes = 2",
  );
});
