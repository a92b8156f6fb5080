import { spawnSync } from "node:child_process";
import { noise } from "./random.js";
import { scene } from "./script.js";

/** Samples a second of the microphone. */
export const soundRate = 16000;

/** The whole scene as 16-bit steps in [-1, 1): speech of espeak-ng, a smoke detector, and the hum of a kitchen. */
export function soundtrack(random: () => number): Float32Array {
  const out = new Float32Array(scene.seconds * soundRate);
  let rumble = 0;
  for (let i = 0; i < out.length; i++) {
    rumble = 0.97 * rumble + 0.03 * noise(random, 1);
    out[i] = 0.0015 * rumble + noise(random, 0.0003);
  }
  for (const { at, text } of scene.speech) add(out, at, spoken(text));
  add(out, scene.alarm.from, smokeAlarm(scene.alarm.to - scene.alarm.from));
  return out.map((x) => Math.round(Math.max(-1, Math.min(0.999, x)) * 32767) / 32768);
}

function add(out: Float32Array, seconds: number, sound: Float32Array): void {
  const at = Math.round(seconds * soundRate);
  for (let i = 0; i < sound.length && at + i < out.length; i++) out[at + i]! += sound[i]!;
}

/** A sentence in a voice of espeak-ng, brought to 16 kHz by sox: both programs must be installed. */
function spoken(text: string): Float32Array {
  const wav = run("espeak-ng", ["-v", "en-us+f5", "-s", "150", "--stdout", text]);
  const raw = run("sox", ["-t", "wav", "-", "-r", String(soundRate), "-t", "f32", "-"], wav);
  const samples = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  return samples.map((x) => 0.5 * x);
}

function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  const { error, status, stdout } = spawnSync(program, args, { input, maxBuffer: 2 ** 26 });
  if (error || status !== 0) throw new Error(`${program} failed: install it first`, { cause: error });
  return stdout;
}

/** A piezo sounder at 3.1 kHz, three beeps of half a second and a pause (the temporal-three pattern of ISO 8201). */
function smokeAlarm(seconds: number): Float32Array {
  return Float32Array.from({ length: seconds * soundRate }, (_, i) => {
    const t = i / soundRate;
    const beep = Math.floor(t) % 4 < 3 && t % 1 < 0.5;
    const edge = Math.min(1, 200 * (t % 1), 200 * Math.abs(0.5 - (t % 1)));
    const angle = 2 * Math.PI * 3100 * t;
    return beep ? 0.25 * edge * (Math.sin(angle) + 0.3 * Math.sin(2 * angle)) : 0;
  });
}
