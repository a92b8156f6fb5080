import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workerRuntime } from "sensebind";
import {
  type Architecture,
  adamW,
  beginning,
  Forward,
  infoNce,
  logitScale,
  type Net,
  patchTransformer,
  recallOf,
  type StepOptions,
  Trainer,
  transformer,
} from "sensebind/align";

/*
 * The article's small example: image, text and video are bound by pairs with images alone, (image, text) and (image, video), each
 * tower ending in a projection to 512. Text and video never meet in training, and yet find one another.
 */

const dim = 512;
const small = { dim, width: 32, depth: 1, heads: 2, biasKv: false };
const towers: Record<"image" | "text" | "video", { dims: readonly number[]; build: Architecture }> = {
  image: { dims: [3, 16, 16], build: patchTransformer({ ...small, patch: [8, 8] }) },
  text: { dims: [3, 12], build: transformer(small) },
  video: { dims: [3, 4, 16, 16], build: patchTransformer({ ...small, patch: [2, 8, 8] }) },
};
type Kind = keyof typeof towers;

/** A tower's weights carry its name before theirs, so that the three do not share any. */
const named = (net: Net, kind: Kind): Net => ({
  g: net.g,
  take: (name, ...rest) => net.take(`${kind}.${name}`, ...rest),
});

const batch = 12;
const both = (kind: "text" | "video"): StepOptions => ({
  inputs: (["image", kind] as const).map((name) => ({ name, dims: [batch, ...towers[name].dims] })),
  loss: (net, given) => {
    const [image, other] = (["image", kind] as const).map((name) => towers[name].build(named(net, name), given[name]!));
    return infoNce(net.g, image!, other!, { scale: logitScale(net) });
  },
  optimizer: { ...adamW, lr: 3e-3 },
  steps: 4,
});

/** Thing i as a picture, as words, and as a clip: a bar of some colour, place and direction of movement. */
function thing(i: number, kind: Kind): Float32Array {
  const [colour, place, turn] = [i % 3, Math.floor(i / 3) % 2, Math.floor(i / 6) % 2];
  const data = new Float32Array(towers[kind].dims.reduce((a, b) => a * b, 1));
  if (kind === "text") {
    data[colour] = 1;
    data[12 + 3 + place] = 1;
    data[24 + 5 + turn] = 1;
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
const stacked = (kind: Kind, times: number): Float32Array => {
  const rows = Array.from({ length: times }, () => things.map((i) => thing(i, kind))).flat();
  const all = new Float32Array(rows.reduce((n, row) => n + row.length, 0));
  for (const [i, row] of rows.entries()) all.set(row, i * row.length);
  return all;
};

await using engine = await workerRuntime({ workers: 1, threads: 1 });
const folders = await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), "sensebind-three-"))));
const kinds = ["text", "video"] as const;
const weights = new Map(kinds.flatMap((kind) => beginning(both(kind), 1)).map((weight) => [weight.name, weight]));
// One graph for each kind of pair: a tower that is not in the pair gets no gradient and no decay.
const own = (kind: "text" | "video") => beginning(both(kind), 1).map(({ name }) => weights.get(name)!);
await using text = await Trainer.open(own("text"), both("text"), { engine, folder: folders[0]! });
await using video = await Trainer.open(own("video"), both("video"), { engine, folder: folders[1]! });
for (let round = 0; round < 24; round++) {
  for (const [kind, trainer] of [
    ["text", text],
    ["video", video],
  ] as const) {
    trainer.adopt([...weights.values()]);
    const losses = await trainer.run({ image: stacked("image", 4), [kind]: stacked(kind, 4) });
    for (const weight of trainer.parameters) weights.set(weight.name, weight);
    if (round % 8 === 7) console.log(`round ${round + 1}, image with ${kind}: loss ${losses.at(-1)!.toFixed(3)}`);
  }
}

const rows = async (kind: Kind) => {
  const strip = (name: string): string => name.slice(kind.length + 1);
  const mine = [...weights.values()]
    .filter(({ name }) => name.startsWith(`${kind}.`))
    .map((w) => ({ ...w, name: strip(w.name) }));
  await using forward = await Forward.open(towers[kind].build, mine, towers[kind].dims, {
    engine,
    folder: folders[kind === "text" ? 0 : 1]!,
  });
  return await forward.embed(
    mine,
    things.map((i) => thing(i, kind)),
  );
};
const { at1 } = recallOf(await rows("text"), await rows("video"));
console.log(
  `text finds its video, which it was never trained with: recall@1 ${(100 * at1).toFixed(0)} % of 12 (guessing 8 %)`,
);
