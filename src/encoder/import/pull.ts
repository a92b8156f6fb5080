import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isSenseError, SenseError } from "../../core/errors.js";
import { Manifest } from "../manifest.js";
import { readManifest } from "../manifest-file.js";
import type { CatalogEntry } from "./catalog.js";
import { type DownloadOptions, download } from "./download.js";

export interface PullOptions extends Omit<DownloadOptions, "onProgress" | "most"> {
  /** Folder that the files go to; a download that broke off goes on there. */
  readonly out: string;
  /** Whether the user has accepted a licence that forbids commercial use. */
  readonly acceptLicence: boolean;
  readonly onProgress?: ((file: string, done: number, total: number | undefined) => void) | undefined;
}

/** A manifest is a few kilobytes; a server that sends more is not taken seriously. */
const longestManifest = 4 * 2 ** 20;

interface Terms {
  readonly title: string;
  readonly licence: { readonly spdx: string; readonly nonCommercial: boolean; readonly url?: string | undefined };
}

/** Throws `LICENCE_NOT_ACCEPTED` for a non-commercial licence that was not accepted. */
export function checkLicence({ title, licence }: Terms, isAccepted: boolean): void {
  if (!licence.nonCommercial || isAccepted) return;
  const where = licence.url === undefined ? "" : `, ${licence.url}`;
  throw new SenseError("LICENCE_NOT_ACCEPTED", `${title} is licensed ${licence.spdx}${where}: not for commercial use`, {
    hint: "read the licence, then run the command again with --accept-licence",
  });
}

/** Downloads the files of a catalogue's entry into `<out>`, to be imported from there. Gives each file's SHA-256. */
export async function pullFiles(entry: CatalogEntry, options: PullOptions): Promise<ReadonlyMap<string, string>> {
  checkLicence(entry, options.acceptLicence);
  const hashes = new Map<string, string>();
  for (const { path, ...wanted } of entry.files) {
    const onProgress = (done: number, total: number | undefined): void => options.onProgress?.(path, done, total);
    hashes.set(path, await download(join(options.out, path), wanted, { ...options, onProgress }));
  }
  return hashes;
}

/** `https://host/bundle/`, with or without `manifest.json`, as the address of a bundle's folder. */
function folderOf(url: string): URL {
  try {
    const address = new URL(url.replace(/manifest\.json$/, ""));
    if (!address.pathname.endsWith("/")) address.pathname += "/";
    if (address.protocol === "http:" || address.protocol === "https:") return address;
  } catch (cause) {
    throw new SenseError("BAD_ARGUMENT", `${url} is no web address`, {
      hint: "Give the address of a bundle's folder, https://…/bundle/, or an id of `sensebind models list`.",
      cause,
    });
  }
  throw new SenseError("BAD_ARGUMENT", `${url} is no http or https address`, {
    hint: "Give the address of a bundle's folder, https://…/bundle/; a folder on this machine needs no pull: --bundle <folder>.",
  });
}

/**
 * Downloads a bundle, its manifest first, and checks every file's length and hash. It appears at `out` when it is complete.
 * Throws `DOWNLOAD_FAILED`, `BAD_BUNDLE`, `LICENCE_NOT_ACCEPTED`, and `BAD_ARGUMENT` where `out` exists.
 */
export async function pullBundle(url: string, options: PullOptions): Promise<Manifest> {
  const folder = folderOf(url);
  const there = await readdir(options.out).catch(() => []);
  if (there.length > 0) {
    throw new SenseError("BAD_ARGUMENT", `${options.out} is there already and not empty`, {
      hint: "choose another folder, or remove it first",
    });
  }
  const part = `${options.out}.part`;
  await mkdir(part, { recursive: true });
  try {
    const manifest = await pullInto(part, folder, options);
    await rm(options.out, { recursive: true, force: true });
    await rename(part, options.out);
    return manifest;
  } catch (error) {
    if (isSenseError(error, "BAD_BUNDLE")) await rm(part, { recursive: true, force: true });
    throw error;
  }
}

async function pullInto(part: string, folder: URL, options: PullOptions): Promise<Manifest> {
  const manifest = await pullManifest(new URL("manifest.json", folder).href, part, options);
  checkLicence(manifest, options.acceptLicence);
  for (const [file, entry] of Object.entries(manifest.files)) {
    const onProgress = (done: number, total: number | undefined): void => options.onProgress?.(file, done, total);
    const wanted = { url: new URL(file.split("/").map(encodeURIComponent).join("/"), folder).href, ...entry };
    await download(join(part, file), wanted, { ...options, onProgress });
  }
  return readManifest(part);
}

/** The manifest is always fetched anew: it says whether the files that are here already still belong to it. */
async function pullManifest(url: string, part: string, options: PullOptions): Promise<Manifest> {
  const path = join(part, "manifest.json");
  await rm(path, { force: true });
  await download(path, { url }, { ...options, onProgress: undefined, most: longestManifest });
  const text = await readFile(path, "utf8");
  try {
    const manifest = Manifest.parse(JSON.parse(text));
    for (const file of Object.keys(manifest.files)) checkPath(file);
    return manifest;
  } catch (cause) {
    throw new SenseError("BAD_BUNDLE", `${url} is no bundle manifest`, {
      hint: "Give the address of a folder with a manifest.json: `sensebind schema manifest` prints its form.",
      cause,
    });
  }
}

function checkPath(file: string): void {
  const parts = file.split(/[/\\]/);
  if (file.startsWith("/") || parts.includes("..") || parts.includes("")) {
    throw new SenseError("BAD_BUNDLE", `files.${file} lies outside the bundle`);
  }
}
