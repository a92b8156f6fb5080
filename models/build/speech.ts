import { spawnSync } from "node:child_process";
import { shuffle } from "../../src/core/random.js";
import { decodeWav } from "../../src/device/decode/wav.js";

const sentences = [
  "Hello, how are you today?",
  "Please open the door.",
  "The weather is nice this morning.",
  "I will be home at six o'clock.",
  "Can you hear me now?",
  "Dinner is ready, come to the kitchen.",
  "Where did you put the keys?",
  "We need to talk about the meeting.",
  "Call me back when you can.",
  "That was a long day at work.",
  "Turn the lights off in the living room.",
  "The train leaves in ten minutes.",
  "Somebody help me please.",
  "Could you bring me a glass of water?",
  "One two three four five six seven.",
  "Guten Morgen, wie geht es dir?",
  "Bonjour, comment allez vous?",
  "Buenos dias, como esta usted?",
];
const languages = ["en", "en-us", "en-gb-scotland", "en-gb-x-rp", "de", "fr", "es"];
const voices = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "croak", "whisper"];

/** A sentence spoken by espeak-ng (a program of that name must be installed) in a random voice, at 16 kHz. */
export async function speak(random: () => number): Promise<Float32Array> {
  const pick = (list: readonly string[]): string => shuffle(list, random)[0]!;
  const voice = `${pick(languages)}+${pick(voices)}`;
  const speed = String(Math.round(120 + 90 * random()));
  const pitch = String(Math.round(20 + 60 * random()));
  const made = spawnSync("espeak-ng", ["-v", voice, "-s", speed, "-p", pitch, "--stdout", pick(sentences)], {
    maxBuffer: 2 ** 26,
  });
  if (made.error) throw made.error;
  const { data, rate } = await decodeWav(made.stdout);
  // 22.05 to 16 kHz by linear interpolation: a formant synthesiser has nothing to lose above 8 kHz.
  return Float32Array.from({ length: Math.floor((data.length - 1) * (16000 / rate)) }, (_, i) => {
    const at = (i * rate) / 16000;
    const before = data[Math.floor(at)]!;
    return before + (data[Math.floor(at) + 1]! - before) * (at % 1);
  });
}
