import { basename, resolve } from "node:path";

/** The id of a bundle that is written to `out`: `models/ImageBind Huge` becomes `imagebind-huge`. */
export function bundleId(out: string): string {
  const id = basename(resolve(out))
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, "-")
    .slice(0, 64);
  return id === "" ? "bundle" : id;
}
