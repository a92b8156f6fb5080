import { join } from "node:path";

/** Where a node keeps the concepts that it was taught by command, in its folder of what survives a restart. */
export const taughtFile = (state: string): string => join(state, "concepts.yaml");
