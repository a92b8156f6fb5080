import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { recordKitchen } from "./recording.js";

/* Makes the recording: npx tsx examples/gas-sensor/make-recording.ts [--out kitchen.mcap] [--minutes 20] [--seed 1] [--labels labels.csv] */

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "kitchen.mcap" },
    minutes: { type: "string", default: "20" },
    seed: { type: "string", default: "1" },
    labels: { type: "string" },
  },
});
const parts = await recordKitchen(values.out, { minutes: Number(values.minutes), seed: Number(values.seed) });
for (const { from, to, activity } of parts) console.log(`${from.toFixed(0)}-${to.toFixed(0)} s ${activity}`);
if (values.labels !== undefined) {
  // What went on, for `sensebind eval events`: the truth of the simulation, which neither sensor is told.
  const rows = parts
    .filter(({ activity }) => activity !== "nothing")
    .map(({ from, to, activity }) => `${activity},${from},${to},gas`);
  await writeFile(values.labels, ["concept,from,to,sensor", ...rows, ""].join("\n"));
}
