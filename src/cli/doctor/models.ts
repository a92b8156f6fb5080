import { existsSync } from "node:fs";
import type { Config } from "../../config.js";
import { SenseError } from "../../core/errors.js";
import { openBundle } from "../../encoder/bundle.js";
import { openRuntime } from "../../encoder/open-runtime.js";
import { checkProviders } from "../../encoder/providers.js";
import type { Runtime } from "../../encoder/runtime.js";
import { verifyBundle } from "../../encoder/verify.js";
import { ok, type Seen, warning } from "./finding.js";

/** What runs the models, and whether it has the execution providers that the configuration asks for. */
export async function lookAtRuntime(asked: Config["runtime"]): Promise<Seen> {
  await using runtime = await openRuntime(asked);
  const { name, providers } = runtime;
  checkProviders(asked.providers, providers);
  const facts = { name, providers, asked: asked.providers };
  const sentence = `${name} has ${providers.join(", ")}`;
  const unused = idleGpu(runtime, asked);
  return unused === undefined ? ok(sentence, facts) : warning(`${sentence}; ${unused.what}`, unused.hint, facts);
}

/** NVIDIA's driver makes these files, on a PC and on a Jetson. */
const nvidiaFiles = ["/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/nvgpu"];

function idleGpu({ providers }: Runtime, { library }: Config["runtime"]): { what: string; hint: string } | undefined {
  if (providers.some((name) => /cuda|tensorrt/.test(name)) || !nvidiaFiles.some((path) => existsSync(path)))
    return undefined;
  const hint = "Set `runtime.library` to a libonnxruntime.so with CUDA or TensorRT (docs/gpu.md).";
  return { what: `this machine has an NVIDIA GPU that ${library ?? "it"} cannot use`, hint };
}

/** A bundle's files against their hashes, and its vectors, computed as the node would, against the golden ones. */
export async function lookAtBundle(dir: string, asked: Config["runtime"]): Promise<Seen> {
  const { providers, threads } = asked;
  await using runtime = await openRuntime(asked);
  await using bundle = await openBundle(dir, runtime, { session: { providers, threads } });
  const { files, golden } = await verifyBundle(bundle);
  const damaged = files.filter((file) => !file.ok).map(({ file }) => file);
  if (damaged.length > 0) {
    throw new SenseError("BAD_BUNDLE", `${dir}: ${damaged.join(", ")} differs from its hash`, {
      hint: "Get the bundle again.",
    });
  }
  const wrong = golden.filter((result) => !result.ok);
  if (wrong.length > 0) {
    const cosines = wrong.map(({ modality, cosine }) => `${modality} ${cosine.toFixed(6)}`);
    throw new SenseError(
      "BAD_BUNDLE",
      `${dir}: on this runtime its vectors are not the golden ones: ${cosines.join(", ")}`,
      {
        hint: "Try `providers: [cpu]`: if that is right, the other provider computes otherwise.",
      },
    );
  }
  const { id, licence } = bundle.manifest;
  const worst = Math.min(...golden.map(({ cosine }) => cosine));
  const facts = { id, space: bundle.space, licence: licence.spdx, files: files.length, worstCosine: worst };
  return ok(
    `${id} (${licence.spdx}): ${files.length} files as they should be, golden vectors met to ${worst.toFixed(6)}`,
    facts,
  );
}
