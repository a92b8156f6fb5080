import { type FileHandle, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isSenseError, SenseError } from "../../core/errors.js";
import { hashFile } from "./hash-file.js";

/** What is known of a file before it is there. */
export interface Wanted {
  readonly url: string;
  readonly bytes?: number | undefined;
  readonly sha256?: string | undefined;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes that are there, of all if that is known. */
  readonly onProgress?: ((done: number, total: number | undefined) => void) | undefined;
  /** Attempts in a row that bring nothing new before it is given up. */
  readonly attempts?: number;
  /** Milliseconds without a byte that count as a broken connection. */
  readonly stall?: number;
  /** How it waits between attempts, in milliseconds; a test does not. */
  readonly wait?: (milliseconds: number) => Promise<void>;
  /** More than this is not taken from a server that says no length. */
  readonly most?: number;
}

const failed = (why: string, cause?: unknown): SenseError =>
  new SenseError("DOWNLOAD_FAILED", why, { hint: "run the same command again: it goes on where it was", cause });

/** Errors that another attempt may cure. */
class Broken extends Error {}

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/**
 * Downloads to `path`, going on where an earlier attempt broke off, and checks length and hash. Throws `DOWNLOAD_FAILED`; a
 * file of a wrong length or hash is removed, one that broke off stays for the next time.
 */
export async function download(path: string, wanted: Wanted, options: DownloadOptions = {}): Promise<string> {
  const { attempts = 5, wait = (milliseconds) => sleep(milliseconds), signal } = options;
  await mkdir(dirname(path), { recursive: true });
  let tries = 0;
  for (;;) {
    const before = await sizeOf(path);
    try {
      await attempt(path, wanted, options);
      return await check(path, wanted, before > 0);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Broken)) throw error;
      tries = (await sizeOf(path)) > before ? 1 : tries + 1;
      if (tries >= attempts) throw failed(`${wanted.url} broke off ${tries} times: ${error.message}`, error);
      await wait(250 * 2 ** tries);
    }
  }
}

async function check(path: string, { url, bytes, sha256 }: Wanted, wasResumed: boolean): Promise<string> {
  const found = await hashFile(path);
  const isShort = bytes !== undefined && found.bytes < bytes;
  if (isShort) throw new Broken(`${found.bytes} of ${bytes} bytes came`);
  const isWrong = (bytes !== undefined && found.bytes !== bytes) || (sha256 !== undefined && found.sha256 !== sha256);
  if (!isWrong) {
    await rm(`${path}.etag`, { force: true });
    return found.sha256;
  }
  await discard(path);
  // The parts may be of two versions of the file: once more from its beginning.
  if (wasResumed) throw new Broken("the continued file has the wrong hash");
  throw failed(`${url} has SHA-256 ${found.sha256} and ${found.bytes} bytes, not ${sha256} and ${bytes}`);
}

async function discard(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(`${path}.etag`, { force: true });
}

async function attempt(path: string, { url, bytes }: Wanted, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(path);
  if (bytes !== undefined && have === bytes) return;
  if (bytes !== undefined && have > bytes) await discard(path);
  const { response, stop } = await request(url, await rangeFor(path), options);
  const isContinued = response.status === 206;
  if (response.status === 416) {
    await discard(path);
    throw new Broken("the server has less than what is here already");
  }
  if (response.status !== 200 && !isContinued) throw refusalOf(response, url);
  const start = isContinued ? await continuedAt(response, path) : 0;
  const length = response.headers.get("content-length");
  const total = length === null || response.headers.has("content-encoding") ? undefined : start + Number(length);
  if (bytes !== undefined && total !== undefined && total !== bytes) {
    stop();
    await discard(path);
    throw failed(`${url}: the server says ${total} bytes, the manifest ${bytes}`);
  }
  const etag = response.headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) await writeFile(`${path}.etag`, etag);
  else await rm(`${path}.etag`, { force: true });
  await using file = await open(path, isContinued ? "r+" : "w");
  await save(file, response, { ...options, start, total: bytes ?? total, url, stop });
}

async function rangeFor(path: string): Promise<Record<string, string>> {
  const have = await sizeOf(path);
  if (have === 0) return {};
  const etag = await readFile(`${path}.etag`, "utf8").catch(() => undefined);
  return { range: `bytes=${have}-`, ...(etag === undefined ? {} : { "if-range": etag }) };
}

async function continuedAt(response: Response, path: string): Promise<number> {
  const have = await sizeOf(path);
  const from = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  if (Number(from) === have) return have;
  await discard(path);
  throw new Broken(`the server continued at ${from}, not at ${have}`);
}

/** A server that is busy may be asked again; one that says no, not. */
function refusalOf({ status, statusText }: Response, url: string): Error {
  const isPassing = status === 408 || status === 429 || status >= 500;
  const why = `${url} answered ${status} ${statusText}`.trim();
  return isPassing ? new Broken(why) : failed(why);
}

interface Answer {
  readonly response: Response;
  /** Ends the connection. */
  readonly stop: () => void;
}

async function request(url: string, headers: Record<string, string>, options: DownloadOptions): Promise<Answer> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  options.signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(stop, options.stall ?? 30_000);
  try {
    const response = await fetch(url, {
      headers: { "accept-encoding": "identity", ...headers },
      signal: controller.signal,
    });
    if (url.startsWith("https:") && response.url.startsWith("http:")) {
      stop();
      throw failed(`${url} leads to ${response.url}, which is not encrypted`);
    }
    return { response, stop };
  } catch (error) {
    if (isSenseError(error)) throw error;
    throw new Broken(
      (error as Error).cause instanceof Error ? ((error as Error).cause as Error).message : String(error),
    );
  } finally {
    clearTimeout(timer);
  }
}

interface SaveOptions extends DownloadOptions {
  readonly url: string;
  readonly start: number;
  readonly total: number | undefined;
  readonly stop: () => void;
}

async function save(file: FileHandle, response: Response, options: SaveOptions): Promise<void> {
  const { url, start, total, stop, stall = 30_000, most = 2 ** 40, onProgress } = options;
  const limit = total ?? most;
  let done = start;
  let timer = setTimeout(stop, stall);
  try {
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(stop, stall);
      if (done + chunk.byteLength > limit) {
        throw failed(`${url} gives more than the ${limit} bytes that it may have`);
      }
      await file.write(chunk, 0, chunk.byteLength, done);
      done += chunk.byteLength;
      onProgress?.(done, total);
    }
  } catch (error) {
    if (isSenseError(error)) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOSPC" || code === "EIO") {
      throw new SenseError("FILE_UNWRITABLE", `the disk took ${done} bytes of ${url} and no more`, {
        hint: "Free some space, then run the same command again: it goes on where it was.",
        cause: error,
      });
    }
    throw new Broken(`the connection ended after ${done} bytes`);
  } finally {
    clearTimeout(timer);
    stop();
  }
  if (total !== undefined && done < total) throw new Broken(`${done} of ${total} bytes came`);
}
