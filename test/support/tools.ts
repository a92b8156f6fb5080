import { spawnSync } from "node:child_process";

/** Whether a program is installed: tests of adapters that need it are skipped where it is not. */
export const hasTool = (name: string): boolean =>
  spawnSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" }).status === 0;
