import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** A bundle that is nano without its thermal encoder; its files are links. */
export async function withoutThermal(dir: string): Promise<string> {
  const nano = resolve("models/nano");
  await mkdir(dir);
  const { towers, files, ...manifest } = JSON.parse(await readFile(join(nano, "manifest.json"), "utf8"));
  const { thermal: _, ...others } = towers;
  for (const file of Object.keys(files)) await symlink(join(nano, file), join(dir, file));
  await writeFile(join(dir, "manifest.json"), JSON.stringify({ ...manifest, towers: others, files }));
  return dir;
}
