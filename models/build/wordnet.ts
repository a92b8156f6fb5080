import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const Synset = z.object({
  index: z.int(),
  wnid: z.string(),
  label: z.string(),
  synset: z.array(z.string()),
  hypernyms: z.array(z.array(z.string())),
  coarse: z.string().nullish(),
});

/** An ImageNet class: its WordNet 3.0 names, and those of what it is a kind of, nearest first. */
export type Synset = Readonly<z.infer<typeof Synset>>;

/** The 1000 ImageNet classes in the order of a classifier's outputs. */
export async function readSynsets(data: string): Promise<readonly Synset[]> {
  const path = join(data, "teachers", "imagenet_hypernyms.json");
  return z
    .array(Synset)
    .length(1000)
    .parse(JSON.parse(await readFile(path, "utf8")));
}

/** Every name of a class or of what it is a kind of, once, in alphabetical order: the vocabulary whose mean is the origin of the space. */
export function vocabularyOf(synsets: readonly Synset[]): string[] {
  return [...new Set(synsets.flatMap(({ synset, hypernyms }) => [synset, ...hypernyms].flat()))].sort();
}
