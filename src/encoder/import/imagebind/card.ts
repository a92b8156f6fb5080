import type { Manifest } from "../../manifest.js";
import type { Layout, TowerName } from "./layout.js";

export interface CardFacts {
  readonly manifest: Omit<Manifest, "files">;
  readonly layouts: ReadonlyMap<TowerName, Layout>;
  /** File name and SHA-256 of the checkpoint. */
  readonly source: { readonly name: string; readonly sha256: string };
}

/** card.md of an imported ImageBind: what it is, under which licence, from which file, and what is not known of it. */
export function cardOf({ manifest, layouts, source }: CardFacts): string {
  const rows = [...layouts.values()].map(
    ({ tower, blocks, width, heads }) =>
      `| ${tower} | ${blocks} | ${width} | ${heads} | ${manifest.towers[tower]!.rawScale.toFixed(4)} |`,
  );
  return `# ${manifest.title}

ImageBind: One Embedding Space To Bind Them All (Girdhar et al., CVPR 2023), facebookresearch/ImageBind, imported from
\`${source.name}\` (SHA-256 \`${source.sha256}\`).

Licence: **${manifest.licence.spdx}**. ${manifest.licence.notice ?? ""}

| tower | blocks | width | heads | logit scale |
|---|---|---|---|---|
${rows.join("\n")}

Unit vectors of ${manifest.dim} numbers. The logit scales are not in the graphs: \`embed --raw\` applies them.
Text, vision and audio are prepared as the original code does. The original has no code for depth, thermal and IMU: their
recipes in manifest.json are the community's best known ones, and the units and the order of the IMU's channels are not
documented by the authors. The background of unrelated content is the theoretical one; \`run\` measures it on the sensor.
`;
}
