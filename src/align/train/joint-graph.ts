import { add, mul } from "../../onnx/arithmetic.js";
import { gradients } from "../../onnx/gradient/gradient.js";
import { type Graph, graph } from "../../onnx/graph.js";
import type { Value } from "../../onnx/value.js";
import { type Net, trainingOpset } from "../net/net.js";
import { type Moments, ratesOf, stepped } from "./adamw.js";
import { type Part, partsUsed, scalarPart, towerPart } from "./joint-part.js";
import { infoNce, logitScale, sigmoidBias, sigmoidLoss } from "./loss.js";
import { type JointOptions, kindName, mostPairs, type PairKind, rowsOf } from "./pair-kind.js";
import { constant, rateAt } from "./schedule.js";
import { clipFactor } from "./step-graph.js";

/**
 * One step for a batch that has pairs of exactly these kinds: towers and scales of no such pair are not in the graph at all, so that
 * they cost nothing and cannot move. Inputs: the state (`w.*`, `m.*`, `v.*` of each part's vectors, `taken.*` the steps of each part
 * and `taken` those of all), a tower's inputs under its name, and by kind of pair the `rows.<kind>.<tower>` that are pairs,
 * `counted.<kind>`, and `queue.<kind>`. Outputs: the vectors with `next.` before, `loss.<kind>`, and `anchors.<kind>` for its queue.
 */
export function jointGraph(options: JointOptions, kinds: readonly PairKind[], parts: ReadonlyMap<string, Part>): Graph {
  const { optimizer, schedule = constant, clip } = options;
  const g = graph({ name: "joint", opset: trainingOpset });
  const used = [...partsUsed(options, kinds)].map((name) => parts.get(name)!);
  const learning = used.filter(({ frozen }) => !frozen);
  const moments = learning.map((part) => part.vectors.map((name, i) => momentsOf(g, name, part, i)));
  const takes = new Map<string, Net["take"]>();
  for (const [i, { name, packing }] of learning.entries()) {
    takes.set(
      name,
      packing.taker(
        g,
        moments[i]!.map(({ w }) => w),
      ),
    );
  }
  for (const part of used) if (part.frozen) takes.set(part.name, constants(g, part));
  const losses = lossesOf(g, options, kinds, (part) => ({ g, take: takes.get(part)! }));
  const total = losses.map((loss, i) => mul(g, loss, kinds[i]!.weight ?? 1)).reduce((a, b) => add(g, a, b));
  const all = moments.flat();
  const grads = gradients(
    g,
    total,
    all.map(({ w }) => w),
  );
  const factor = clip === undefined ? undefined : clipFactor(g, grads, clip);
  const lr = rateAt(g, g.input("taken", "float32", []), optimizer.lr, schedule);
  for (const [i, { name, vectors, packing }] of learning.entries()) {
    const rates = ratesOf(g, g.input(`taken.${name}`, "float32", []), lr, { ...optimizer, factor });
    for (const [j, vector] of vectors.entries()) {
      const before = moments[i]![j]!;
      const { decays } = packing.tensors[j]!;
      const next = stepped(g, before, grads[all.indexOf(before)]!, rates, { betas: optimizer.betas, decays });
      for (const key of ["w", "m", "v"] as const) g.output(`next.${key}.${vector}`, next[key]);
    }
  }
  for (const [i, loss] of losses.entries()) g.output(`loss.${kindName(kinds[i]!)}`, loss);
  return g;
}

function momentsOf(g: Graph, name: string, { packing }: Part, index: number): Moments {
  const shape = packing.tensors[index]!.dims;
  const [w, m, v] = ["w", "m", "v"].map((key) => g.input(`${key}.${name}`, "float32", shape));
  return { w: w!, m: m!, v: v! };
}

/** A frozen tower's weights, as part of the graph. */
const constants = (g: Graph, { vectors, packing, parameters }: Part): Net["take"] =>
  packing.taker(
    g,
    packing.pack(parameters).map((data, i) => g.weight(vectors[i]!, { dims: [data.length], data })),
  );

/** Each tower runs once, however many kinds of pair its rows are in. */
function lossesOf(
  g: Graph,
  options: JointOptions,
  kinds: readonly PairKind[],
  netOf: (part: string) => Net,
): readonly Value[] {
  const names = [...new Set(kinds.flatMap(({ between }) => between))];
  const embeddings = new Map<string, Value>();
  for (const name of names) {
    const { architecture, dims } = options.towers[name]!;
    const x = g.input(name, "float32", [rowsOf(options, name), ...dims]);
    embeddings.set(name, architecture(netOf(towerPart(name)), x));
  }
  return kinds.map((kind) => {
    const name = kindName(kind);
    const { queue = 0, same } = kind;
    const pairs = mostPairs(options, kind);
    const [anchors, z] = kind.between.map((tower) =>
      g.op("Gather", [embeddings.get(tower), g.input(`rows.${name}.${tower}`, "int64", [pairs])]),
    ) as [Value, Value];
    const dim = anchors.shape![1] as number;
    const contrast = {
      scale: logitScale(netOf(scalarPart("scale", kind, options))),
      counted: g.input(`counted.${name}`, "float32", [pairs + queue]),
      ...(queue > 0 && { queue: g.input(`queue.${name}`, "float32", [queue, dim]) }),
      ...(same !== undefined && { same }),
    };
    if (queue > 0) g.output(`anchors.${name}`, anchors);
    return kind.loss === "sigmoid"
      ? sigmoidLoss(g, z, anchors, { ...contrast, bias: sigmoidBias(netOf(scalarPart("bias", kind, options))) })
      : infoNce(g, z, anchors, contrast);
  });
}
