import { parseArgs } from "node:util";
import { recordKitchen } from "./recording.js";

/* Makes the recording: npx tsx examples/gas-sensor/make-recording.ts [--out kitchen.mcap] [--minutes 20] [--seed 1] */

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "kitchen.mcap" },
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
  },
});
const parts = await recordKitchen(values.out, { minutes: Number(values.minutes), seed: Number(values.seed) });
for (const { from, to, activity } of parts) console.log(`${from.toFixed(0)}-${to.toFixed(0)} s ${activity}`);
