import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { SenseError } from "../core/errors.js";
import { Manifest, type Tower } from "./manifest.js";

const hint = "Get the bundle again, or check it with `sensebind models verify`.";

/**
 * The manifest of a bundle folder, every file that it names being there with the size it says.
 * Throws `BAD_BUNDLE` telling the field or the file.
 */
export async function readManifest(dir: string): Promise<Manifest> {
  const path = join(dir, "manifest.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("BAD_BUNDLE", `${dir} holds no manifest.json that can be read`, {
      hint: "Give the id of a bundle of models/ or a folder that holds one.",
      cause,
    });
  });
  const parsed = Manifest.safeParse(parseJson(text, path));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the document"}: ${issue.message}`);
    throw new SenseError("BAD_BUNDLE", `${path} is not a bundle manifest: ${problems.slice(0, 3).join("; ")}`, {
      hint,
    });
  }
  await checkFiles(dir, parsed.data);
  return parsed.data;
}

/** Files that a tower names: its graphs, their shared weights and its tokenizer. */
function namedFiles({ graphs, weights = [], preprocess }: Tower): readonly string[] {
  return [...graphs, ...weights, ...(preprocess.kind === "text" ? [preprocess.file] : [])];
}

/** Files that a tower consists of; a graph's own external weights are named after it, `vision.onnx.data`. */
export function towerFiles({ files }: Pick<Manifest, "files">, tower: Tower): readonly string[] {
  const named = namedFiles(tower);
  return Object.keys(files).filter((file) =>
    named.some((main) => file === main || file.startsWith(`${main}.`) || file.startsWith(`${main}_`)),
  );
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SenseError("BAD_BUNDLE", `${path} is not JSON: ${(cause as Error).message}`, { hint, cause });
  }
}

/** Every encoder of a bundle, by its place in the manifest. */
export function everyTower({ towers, sensors = {} }: Pick<Manifest, "towers" | "sensors">): readonly [string, Tower][] {
  return [
    ...Object.entries(towers).map(([modality, tower]): [string, Tower] => [`towers.${modality}`, tower]),
    ...Object.entries(sensors).map(([sensor, tower]): [string, Tower] => [`sensors.${sensor}`, tower]),
  ];
}

async function checkFiles(dir: string, { files, ...manifest }: Manifest): Promise<void> {
  for (const [place, tower] of everyTower(manifest)) {
    const unlisted = namedFiles(tower).find((file) => files[file] === undefined);
    if (unlisted === undefined) continue;
    throw new SenseError("BAD_BUNDLE", `${place} uses ${unlisted}, which is not among files`, { hint });
  }
  await Promise.all(
    Object.entries(files).map(async ([file, { bytes }]) => {
      if (isAbsolute(file) || file.split(/[/\\]/).includes("..")) {
        throw new SenseError("BAD_BUNDLE", `files.${file} lies outside the bundle`, { hint });
      }
      const found = await stat(join(dir, file)).catch((cause: unknown) => {
        throw new SenseError("BAD_BUNDLE", `${join(dir, file)} is missing`, { hint, cause });
      });
      if (found.size === bytes) return;
      throw new SenseError("BAD_BUNDLE", `${join(dir, file)} has ${found.size} bytes, the manifest says ${bytes}`, {
        hint,
      });
    }),
  );
}
