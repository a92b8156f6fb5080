import { readdirSync, readFileSync } from "node:fs";

/** Processes whose program ends in `program` and whose arguments, separated by spaces, have the words; shells that stand before them are not among them. */
export function processesOf(program: string, words: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const [command = "", ...rest] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return command.endsWith(program) && rest.join(" ").includes(words);
      } catch {
        return false;
      }
    });
}
