import fc from "fast-check";
import { expect, test } from "vitest";
import { groupNorm } from "../../../src/align/net/layers.js";
import { finished } from "../../../src/align/net/net.js";
import { run } from "../../onnx/run.js";
import { distance, goldenJson, hasGolden } from "../../support/golden.js";
import { noise, probe } from "./probe.js";

interface Golden {
  readonly groups: number;
  readonly dims: readonly number[];
  readonly [name: string]: unknown;
}

test.skipIf(!hasGolden("align/group-norm.json"))(
  "group norm and its gradients are PyTorch's, scale and shift belonging to the channels",
  async () => {
    const golden = goldenJson<Golden>("align/group-norm.json", { groups: 1, dims: [] });
    const { groups, dims } = golden;
    const of = (name: string): Float32Array => Float32Array.from(golden[name] as number[]);
    const channels = [dims[1]!];
    const { z, gradients } = await probe(
      (net, x) => groupNorm(net, x, "norm", { groups, epsilon: 1e-5 }),
      { dims, data: of("x") },
      [
        { name: "norm.weight", dims: channels, data: of("weight") },
        { name: "norm.bias", dims: channels, data: of("bias") },
      ],
      { along: { dims, data: of("along") }, ofInput: true },
    );
    expect(distance(z.data, of("y")).max).toBeLessThan(2e-6);
    expect(distance(gradients.get("x")!, of("dx")).max).toBeLessThan(2e-6);
    expect(distance(gradients.get("norm.weight")!, of("dweight")).max).toBeLessThan(1e-5);
    expect(distance(gradients.get("norm.bias")!, of("dbias")).max).toBeLessThan(1e-5);
  },
);

test("each group of each sample has mean 0 and deviation 1, whatever the batch and the number of groups", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(1, 2, 3, 6), fc.integer({ min: 1, max: 3 }), async (groups, n) => {
      const weights = [
        { name: "norm.weight", dims: [6], data: new Float32Array(6).fill(1) },
        { name: "norm.bias", dims: [6], data: new Float32Array(6) },
      ];
      const built = finished((net, x) => groupNorm(net, x, "norm", { groups, epsilon: 1e-9 }), ["n", 6, 2, 3], weights);
      const { embedding } = await run(built, { input: noise([n, 6, 2, 3], groups + n) });
      expect(embedding!.dims).toEqual([n, 6, 2, 3]);
      const size = 36 / groups;
      for (let at = 0; at < embedding!.data.length; at += size) {
        const part = [...embedding!.data.subarray(at, at + size)];
        const mean = part.reduce((a, b) => a + b, 0) / size;
        const squares = part.reduce((a, b) => a + b * b, 0) / size;
        expect(Math.abs(mean)).toBeLessThan(1e-5);
        expect(Math.abs(squares - 1)).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 12 },
  );
});
