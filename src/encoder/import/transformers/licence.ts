import type { Manifest } from "../../manifest.js";

/** Licences of models that are not for commercial use, by the names that their repositories give. */
const nonCommercial = /(^|[-_ ])(nc|non-?commercial|amlr|research)([-_ ]|$)/i;

/** The licence that a repository's README.md states in its first lines (`license:`, `license_name:`). */
export function licenceOf(readme: string): Manifest["licence"] {
  const front = /^---\n([\s\S]*?)\n---/.exec(readme)?.[1] ?? "";
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}:\\s*["']?([^"'\\n]+)`, "m").exec(front)?.[1]?.trim();
  const stated = field("license");
  const name = stated === "other" ? (field("license_name") ?? stated) : stated;
  if (name === undefined) {
    const notice = "The folder states no licence: look at where the model came from before you use it.";
    return { spdx: "NOASSERTION", nonCommercial: false, notice };
  }
  const isNonCommercial = nonCommercial.test(name);
  return {
    spdx: name,
    nonCommercial: isNonCommercial,
    ...(isNonCommercial ? { notice: `This model is licensed ${name}: not for commercial use.` } : {}),
  };
}
