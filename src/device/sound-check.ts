import type { Reading } from "../core/reading.js";
import type { DeviceFacts } from "./define.js";

/** Samples this close to full scale are clipped. */
const clipLevel = 0.999;
/** A share of clipped samples that is worth a word. */
const clipShare = 0.001;
/** Below this root mean square a microphone is off or muted: -80 dB of full scale. */
const silentLevel = 1e-4;
/** Quiet rooms exist; a microphone that is silent for so long is not in one. */
const silentSeconds = 10;

/** Passes sound on and tells when it is clipped, or silent as only a microphone that is off can be. */
export async function* checkSound(
  readings: AsyncIterable<Reading>,
  tell: (facts: DeviceFacts) => void = () => {},
): AsyncGenerator<Reading> {
  let silent = 0;
  let note = "";
  for await (const reading of readings) {
    yield reading;
    if (reading.kind !== "block") continue;
    const { data, channels, rate } = reading;
    let power = 0;
    let clipped = 0;
    for (let i = 0; i < data.length; i++) {
      power += data[i]! * data[i]!;
      if (Math.abs(data[i]!) >= clipLevel) clipped += 1;
    }
    const quiet = Math.sqrt(power / data.length) < silentLevel;
    silent = quiet ? silent + data.length / channels.length / rate : 0;
    const loud = clipped > clipShare * data.length;
    const now = loud
      ? "the sound is clipped: lower the gain"
      : silent >= silentSeconds
        ? "the microphone is silent"
        : "";
    if (now !== note) tell({ note: now });
    note = now;
  }
}
