import { SenseError } from "../../../core/errors.js";
import type { TensorInfo } from "../checkpoint.js";
import { hugeConfig, hugeWidths, type ImageBindConfig } from "./config.js";

/** The modalities of ImageBind, in the order of its state dict. */
export const towers = ["vision", "text", "audio", "depth", "thermal", "imu"] as const;
export type TowerName = (typeof towers)[number];

/** Where the original keeps a modality's tensors (PARITY B, C, D). */
interface Names {
  readonly stem: string;
  readonly positions: string;
  readonly stemNorm: boolean;
  readonly cls: boolean;
  readonly biasKv: boolean;
  readonly norm: string;
  readonly projection: string;
}

const sensor = (stem: string): Names => ({
  stem: `${stem}.proj.weight`,
  positions: "pos_embedding_helper.pos_embed",
  stemNorm: true,
  cls: true,
  biasKv: true,
  norm: "0",
  projection: "2.weight",
});

const names: Readonly<Record<TowerName, Names>> = {
  vision: { ...sensor("rgbt_stem"), stem: "rgbt_stem.proj.1.weight", stemNorm: false, biasKv: false },
  text: {
    stem: "token_embedding.weight",
    positions: "pos_embed",
    stemNorm: false,
    cls: false,
    biasKv: false,
    norm: "proj.0",
    projection: "proj.1.weight",
  },
  audio: sensor("rgbt_stem"),
  depth: sensor("depth_stem"),
  thermal: sensor("rgbt_stem"),
  imu: { ...sensor("imu_stem"), positions: "pos_embed", projection: "3.weight" },
};

/** The architecture of one tower and the keys of its tensors. Sizes in elements. */
export interface Layout {
  readonly tower: TowerName;
  readonly width: number;
  readonly blocks: number;
  readonly heads: number;
  readonly mlp: number;
  /** Rows of the position table, the class token's included. */
  readonly positions: number;
  /** Width of the shared space. */
  readonly out: number;
  readonly biasKv: boolean;
  /** Shape of the stem's weight: convolution, linear layer or token table. */
  readonly stemDims: readonly number[];
  readonly keys: {
    readonly stem: string;
    readonly stemNorm: string | undefined;
    readonly cls: string | undefined;
    readonly positions: string;
    readonly mask: string | undefined;
    readonly preNorm: string | undefined;
    readonly blocks: string;
    readonly headNorm: string;
    readonly projection: string;
    readonly scale: string | undefined;
  };
  /** Every tensor of the tower with the shape it must have. */
  readonly expected: ReadonlyMap<string, readonly number[]>;
}

export type Tensors = ReadonlyMap<string, TensorInfo>;

const refuse = (why: string, hint?: string): never => {
  throw new SenseError("BAD_CHECKPOINT", why, hint === undefined ? {} : { hint });
};

function dimsOf(tensors: Tensors, name: string, rank: number): readonly number[] {
  const dims = tensors.get(name)?.dims ?? refuse(`the checkpoint has no tensor ${name}`);
  return dims.length === rank ? dims : refuse(`${name} has shape [${dims.join(", ")}], not ${rank} axes`);
}

function countBlocks(tensors: Tensors, prefix: string): number {
  const indices = [...tensors.keys()].flatMap((name) => {
    const match = name.startsWith(prefix) ? /^(\d{1,4})\./.exec(name.slice(prefix.length)) : null;
    return match === null ? [] : [Number(match[1])];
  });
  return indices.length === 0
    ? refuse(`the checkpoint has no tensor ${prefix}0.norm_1.weight`)
    : Math.max(...indices) + 1;
}

/** Shape and keys of a tower, as its tensors tell. Throws `BAD_CHECKPOINT` with the name of the tensor that is amiss. */
export function layoutOf(tower: TowerName, tensors: Tensors, config: ImageBindConfig | undefined): Layout {
  const { stem, positions, stemNorm, cls, biasKv, norm, projection } = names[tower];
  const pre = `modality_preprocessors.${tower}.`;
  const trunk = `modality_trunks.${tower}.`;
  const head = `modality_heads.${tower}.`;
  const keys: Layout["keys"] = {
    stem: pre + stem,
    stemNorm: stemNorm ? `${pre}${stem.split(".")[0]}.norm_layer` : undefined,
    cls: cls ? `${pre}cls_token` : undefined,
    positions: pre + positions,
    mask: tower === "text" ? `${pre}mask` : undefined,
    preNorm: tower === "vision" ? `${trunk}pre_transformer_layer.0` : undefined,
    blocks: `${trunk}blocks.`,
    headNorm: head + norm,
    projection: head + projection,
    scale: tower === "vision" ? undefined : `modality_postprocessors.${tower}.1.log_logit_scale`,
  };
  const [, rows, width] = dimsOf(tensors, keys.positions, 3) as [number, number, number];
  const [out] = dimsOf(tensors, keys.projection, 2) as [number, number];
  const blocks = countBlocks(tensors, keys.blocks);
  const [mlp] = dimsOf(tensors, `${keys.blocks}0.mlp.fc1.weight`, 2) as [number, number];
  const stemDims = tensors.get(keys.stem)?.dims ?? refuse(`the checkpoint has no tensor ${keys.stem}`);
  if (config === undefined && hugeWidths[tower] !== width) {
    refuse(
      `${keys.positions} has width ${width}; imagebind_huge has ${hugeWidths[tower]}, so the number of heads is not known`,
      "give the model's arguments with --config config.json",
    );
  }
  const heads = (config ?? hugeConfig)[`${tower}_num_heads`];
  const wanted = (config ?? hugeConfig)[`${tower}_num_blocks`] ?? blocks;
  if (blocks !== wanted) {
    refuse(
      `the checkpoint has no tensor ${keys.blocks}${Math.min(blocks, wanted)}.norm_1.weight, or one block too many`,
    );
  }
  if (width % heads !== 0) refuse(`${keys.positions} has width ${width}, which ${heads} heads do not divide`);
  const stemWidth = tower === "text" ? stemDims[1] : stemDims[0];
  if (stemWidth !== width) refuse(`${keys.stem} has shape [${stemDims.join(", ")}], the position table width ${width}`);
  const layout = { tower, width, blocks, heads, mlp, positions: rows, out, biasKv, stemDims, keys };
  const expected = expectedShapes(layout);
  checkShapes(tensors, expected);
  return { ...layout, expected };
}

function expectedShapes({ width, blocks, mlp, positions, out, biasKv, stemDims, keys }: Omit<Layout, "expected">) {
  const shapes = new Map<string, readonly number[]>();
  const norm = (key: string): void => {
    shapes.set(`${key}.weight`, [width]).set(`${key}.bias`, [width]);
  };
  const linear = (key: string, rows: number, columns: number, separator = "."): void => {
    shapes.set(`${key}${separator}weight`, [rows, columns]).set(`${key}${separator}bias`, [rows]);
  };
  shapes.set(keys.stem, stemDims).set(keys.positions, [1, positions, width]).set(keys.projection, [out, width]);
  if (keys.stemNorm !== undefined) norm(keys.stemNorm);
  if (keys.cls !== undefined) shapes.set(keys.cls, [1, 1, width]);
  if (keys.mask !== undefined) shapes.set(keys.mask, [positions, positions]);
  if (keys.preNorm !== undefined) norm(keys.preNorm);
  if (keys.scale !== undefined) shapes.set(keys.scale, []);
  norm(keys.headNorm);
  for (let i = 0; i < blocks; i++) {
    const block = `${keys.blocks}${i}.`;
    norm(`${block}norm_1`);
    norm(`${block}norm_2`);
    linear(`${block}attn.in_proj`, 3 * width, width, "_");
    linear(`${block}attn.out_proj`, width, width);
    linear(`${block}mlp.fc1`, mlp, width);
    linear(`${block}mlp.fc2`, width, mlp);
    if (biasKv) shapes.set(`${block}attn.bias_k`, [1, 1, width]).set(`${block}attn.bias_v`, [1, 1, width]);
  }
  return shapes;
}

function checkShapes(tensors: Tensors, expected: ReadonlyMap<string, readonly number[]>): void {
  for (const [name, dims] of expected) {
    const found = tensors.get(name)?.dims ?? refuse(`the checkpoint has no tensor ${name}`);
    if (found.join() !== dims.join()) {
      refuse(`${name} has shape [${found.join(", ")}], but the rest of the tower needs [${dims.join(", ")}]`);
    }
  }
}

/** A part of the original model, whatever wrappers put before its name (`module.`, `model.` ...). */
const part = /(?:^|\.)(modality_(?:preprocessors|trunks|heads|postprocessors)\..*)$/;

/** Original names to the names in this file. Throws `BAD_CHECKPOINT` for a file that is not ImageBind, or has a name twice. */
export function originalNames(tensors: Tensors): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const name of tensors.keys()) {
    const original = part.exec(name)?.[1];
    if (original === undefined) continue;
    if (found.has(original)) refuse(`${name} and ${found.get(original)} are the same tensor of ImageBind`);
    found.set(original, name);
  }
  if (found.size === 0) refuse("this is no ImageBind checkpoint: no tensor's name begins with modality_trunks");
  for (const name of tensors.keys()) {
    if (!part.test(name))
      refuse(`${name} is not a tensor of ImageBind`, "save the model's state_dict() and nothing else");
  }
  return found;
}

/** Layouts of every tower in the checkpoint. Throws `BAD_CHECKPOINT` for missing, misshapen and unknown tensors. */
export function readLayouts(tensors: Tensors, config?: ImageBindConfig): ReadonlyMap<TowerName, Layout> {
  const layouts = new Map<TowerName, Layout>();
  for (const tower of towers) {
    const has = [...tensors.keys()].some((name) => name.startsWith(`modality_trunks.${tower}.`));
    if (has) layouts.set(tower, layoutOf(tower, tensors, config));
  }
  const widths = new Set([...layouts.values()].map(({ out }) => out));
  if (widths.size > 1) refuse(`the towers end in spaces of different widths: ${[...widths].join(", ")}`);
  for (const name of tensors.keys()) {
    if (![...layouts.values()].some(({ expected }) => expected.has(name)))
      refuse(`${name} is not a tensor of ImageBind`);
  }
  return layouts;
}
