import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workerRuntime } from "sensebind";
import { adamW, Forward, JointTrainer, patchTransformer, recallOf, type Tower, transformer } from "sensebind/align";

/*
 * The article's small example: image, text and video are bound by pairs with images alone, (image, text) and (image, video), each
 * tower ending in a projection to 512. Text and video never meet in training, and yet find one another.
 */

const small = { dim: 512, width: 32, depth: 1, heads: 2, biasKv: false };
const towers = {
  image: { dims: [3, 16, 16], architecture: patchTransformer({ ...small, patch: [8, 8] }) },
  text: { dims: [3, 12], architecture: transformer(small), rows: 12 },
  video: { dims: [3, 4, 16, 16], architecture: patchTransformer({ ...small, patch: [2, 8, 8] }), rows: 12 },
} satisfies Record<string, Tower>;
type Kind = keyof typeof towers;

/** Thing i as a picture, as words, and as a clip: a bar of some colour, place and direction of movement. */
function thing(i: number, kind: Kind): Float32Array {
  const [colour, place, turn] = [i % 3, Math.floor(i / 3) % 2, Math.floor(i / 6) % 2];
  const data = new Float32Array(towers[kind].dims.reduce((a, b) => a * b, 1));
  if (kind === "text") {
    for (const bit of [colour, 12 + 3 + place, 24 + 5 + turn]) data[bit] = 1;
    return data;
  }
  const frames = kind === "video" ? 4 : 1;
  for (let frame = 0; frame < frames; frame++)
    for (let a = 0; a < 16; a++)
      for (let b = 0; b < 5; b++) {
        const across = place * 8 + b + (frame % 3);
        const [y, x] = turn === 0 ? [a, across] : [across, a];
        data[(colour * frames + frame) * 256 + y * 16 + x] = 1;
      }
  return data;
}

const things = Array.from({ length: 12 }, (_, i) => i);
// Half of the moments have words, the other half a clip; no moment has both.
const moments = (["text", "video"] as const).flatMap((kind) =>
  things.map((i) => ({ image: thing(i, "image"), [kind]: thing(i, kind) })),
);

const folder = await mkdtemp(join(tmpdir(), "sensebind-three-"));
await using engine = await workerRuntime({ workers: 1, threads: 1 });
await using trainer = new JointTrainer(
  {
    towers,
    kinds: [{ between: ["image", "text"] }, { between: ["image", "video"] }],
    batch: moments.length,
    optimizer: { ...adamW, lr: 3e-3 },
  },
  { engine, folder },
);
while (trainer.taken < 96) {
  const losses = await trainer.step(moments);
  if (trainer.taken % 24 === 0) console.log(`step ${trainer.taken}: ${JSON.stringify(losses)}`);
}

async function rows(kind: Kind) {
  const { architecture, dims } = towers[kind];
  const weights = trainer.weightsOf(kind);
  await using forward = await Forward.open(architecture, weights, dims, { engine, folder });
  const inputs = things.map((i) => thing(i, kind));
  return await forward.embed(weights, inputs);
}
const { at1 } = recallOf(await rows("text"), await rows("video"));
console.log(
  `text finds its video, which it was never trained with: recall@1 ${(100 * at1).toFixed(0)} % of 12 (guessing 8 %)`,
);
