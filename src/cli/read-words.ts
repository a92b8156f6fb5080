import { readBytes } from "../device/decode/bytes.js";

/** The words of text files, one text a file, without the spaces around it. */
export async function readWords(paths: readonly string[]): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const path of paths) texts.push(new TextDecoder().decode(await readBytes(path)).trim());
  return texts;
}
