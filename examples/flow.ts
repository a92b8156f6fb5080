/** The flow inside a program of yours: a recording, what to look for, and the events and alerts as they come. */
import { fileURLToPath } from "node:url";
import { parseConfig, replay } from "sensebind";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const config = parseConfig(
  `
node: example
sensors:
  mic: { device: replay, modality: audio }
  belt: { device: replay, modality: imu }
concepts:
  speech: { texts: a person speaking, sensors: [mic] }
  fall: { texts: a person has fallen, sensors: [belt] }
rules:
  call-for-help:
    when: belt.fall then mic.speech within 10s
`,
  "flow.ts",
);
const folders = { bundle: here("../models/nano"), state: here("../dist/example-state") };
const { signal } = new AbortController();

for await (const message of replay(here("demo/demo.mcap"), config, { signal, folders })) {
  if (message.kind === "event") console.log(message.event.sensor, message.event.concept, message.event.phase);
  if (message.kind === "alert") console.log("ALERT", message.alert.rule, message.alert.phase);
}
