import { gaussian } from "../../src/core/random.js";

/** Samples per second of every sound here. */
export const rate = 16000;

type Random = () => number;
type Sound = (random: Random, samples: number) => Float32Array;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
const logBetween = (random: Random, low: number, high: number): number => low * (high / low) ** random();

/** White noise through a one-pole low-pass at `cutoff` Hz, of unit variance before the filter. */
function noise(random: Random, samples: number, cutoff = rate): Float32Array {
  const out = new Float32Array(samples);
  const keep = cutoff >= rate / 2 ? 0 : Math.exp((-2 * Math.PI * cutoff) / rate);
  let state = 0;
  for (let i = 0; i < samples; i++) {
    state = keep * state + (1 - keep) * gaussian(random);
    out[i] = state;
  }
  return out;
}

/** Adds a decaying sinusoid, the impulse response of one vibration mode. */
function mode(
  out: Float32Array,
  at: number,
  {
    hz,
    decay,
    gain,
    glide = 0,
    phase = 0,
  }: { hz: number; decay: number; gain: number; glide?: number; phase?: number },
): void {
  const end = Math.min(out.length, at + Math.round(decay * 7 * rate));
  let angle = phase;
  for (let i = Math.max(0, at); i < end; i++) {
    const t = (i - at) / rate;
    angle += (2 * Math.PI * hz * (1 + glide * t)) / rate;
    out[i]! += gain * Math.exp(-t / decay) * Math.sin(angle);
  }
}

/** Adds a burst of low-passed noise that dies away. */
function burst(
  out: Float32Array,
  at: number,
  random: Random,
  { cutoff, decay, gain }: { cutoff: number; decay: number; gain: number },
): void {
  const length = Math.min(out.length - at, Math.round(decay * 7 * rate));
  if (length <= 0) return;
  const grains = noise(random, length, cutoff);
  for (let i = 0; i < length; i++) out[at + i]! += gain * grains[i]! * Math.exp(-i / rate / decay);
}

/** Times of a Poisson process whose rate (a second) may fall exponentially with `decay` seconds. */
function arrivals(random: Random, samples: number, perSecond: number, decay = Number.POSITIVE_INFINITY): number[] {
  const times: number[] = [];
  for (let t = 0; ; ) {
    t += -Math.log(1 - random()) / (perSecond * Math.exp(-t / decay));
    const at = Math.round(t * rate);
    if (!(at < samples)) return times;
    times.push(at);
  }
}

/** Sparse early echoes of a room: louder and longer with `wet`. */
function room(random: Random, dry: Float32Array, wet: number): Float32Array {
  const out = Float32Array.from(dry);
  for (let echo = 0; echo < 24; echo++) {
    const delay = Math.round(between(random, 0.003, 0.25) * rate);
    const gain = wet * (random() < 0.5 ? -1 : 1) * Math.exp(-delay / (0.08 * rate));
    for (let i = delay; i < out.length; i++) out[i]! += gain * dry[i - delay]!;
  }
  return out;
}

/** Harmonics of a gliding tone. */
function tone(samples: number, hz: (t: number) => number, harmonics: readonly number[]): Float32Array {
  const out = new Float32Array(samples);
  let angle = 0;
  for (let i = 0; i < samples; i++) {
    const f = hz(i / rate);
    angle += (2 * Math.PI * f) / rate;
    for (let h = 0; h < harmonics.length; h++)
      if (f * (h + 1) < rate / 2) out[i]! += harmonics[h]! * Math.sin(angle * (h + 1));
  }
  return out;
}

const silence: Sound = (random, samples) => {
  const out = noise(random, samples, logBetween(random, 300, 8000));
  const gain = logBetween(random, 1e-6, 4e-4);
  return out.map((x) => x * gain);
};

const steadyNoise: Sound = (random, samples) => {
  const white = noise(random, samples);
  const low = noise(random, samples, logBetween(random, 200, 4000));
  const mix = random();
  return white.map((x, i) => (x * mix + 4 * low[i]! * (1 - mix)) * 0.3);
};

const wind: Sound = (random, samples) => {
  const out = noise(random, samples, logBetween(random, 150, 600));
  const gust = between(random, 0.2, 1.2);
  const start = random() * 7;
  return out.map((x, i) => x * (1 + 0.8 * Math.sin(2 * Math.PI * gust * (i / rate + start))) * 3);
};

const glass: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const start = Math.round(between(random, 0, 0.3) * samples);
  burst(out, start, random, { cutoff: 8000, decay: between(random, 0.005, 0.04), gain: 2 });
  const shards = arrivals(random, samples - start, between(random, 40, 180), between(random, 0.12, 0.5));
  for (const at of [0, 0, ...shards]) {
    const gain = between(random, 0.2, 1) * Math.exp(-at / rate / 0.5);
    for (let m = 0; m < 4; m++)
      mode(out, start + at, {
        hz: logBetween(random, 1800, 7800),
        decay: logBetween(random, 0.008, 0.12),
        gain: gain * random(),
      });
  }
  return out;
};

const alarm: Sound = (random, samples) => {
  const hz = between(random, 2700, 3500);
  const carrier = tone(samples, () => hz, [1, between(random, 0, 0.3)]);
  const on = logBetween(random, 0.08, 0.6);
  const off = on * between(random, 0.6, 1.4);
  const start = random() * (on + off);
  const triple = random() < 0.4;
  return carrier.map((x, i) => {
    const t = i / rate + start;
    const beat = Math.floor(t / (on + off));
    return t % (on + off) < on && !(triple && beat % 4 === 3) ? x : 0;
  });
};

const knocking: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const gap = between(random, 0.12, 0.35);
  const hz = logBetween(random, 90, 400);
  const decay = between(random, 0.015, 0.05);
  const knocks = 2 + Math.floor(random() * 4);
  const start = between(random, 0.02, 0.5);
  for (let k = 0; k < knocks; k++) {
    const at = Math.round((start + k * gap * between(random, 0.93, 1.07)) * rate);
    const gain = between(random, 0.6, 1);
    for (const ratio of [1, 1.7, 2.6, 4.1])
      mode(out, at, { hz: hz * ratio, decay: decay / ratio ** 0.5, gain: gain / ratio });
    burst(out, at, random, { cutoff: 2500, decay: 0.004, gain: gain * 1.5 });
  }
  return out;
};

const footsteps: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const gap = between(random, 0.42, 0.75);
  const start = random() * gap;
  const hz = logBetween(random, 55, 140);
  const scuff = logBetween(random, 600, 5000);
  for (let t = start; t < samples / rate; t += gap * between(random, 0.96, 1.04)) {
    const at = Math.round(t * rate);
    const gain = between(random, 0.6, 1);
    mode(out, at, { hz, decay: 0.025, gain });
    burst(out, at, random, { cutoff: scuff, decay: 0.012, gain: gain * 0.9 });
    burst(out, at + Math.round(0.09 * rate), random, { cutoff: scuff, decay: 0.03, gain: gain * 0.4 });
  }
  return out;
};

/** Bubbles of van den Doel's liquid model: decaying tones that rise in pitch. */
const water: Sound = (random, samples) => {
  const bed = noise(random, samples, logBetween(random, 800, 4000));
  const level = between(random, 0, 0.6);
  const out = bed.map((x) => x * level);
  for (const at of arrivals(random, samples, logBetween(random, 30, 250))) {
    const hz = logBetween(random, 350, 3000);
    mode(out, at, { hz, decay: 13 / hz, gain: between(random, 0.1, 1), glide: between(random, 0, 6) });
  }
  return out;
};

const rain: Sound = (random, samples) => {
  const hiss = noise(random, samples);
  const low = noise(random, samples, 1200);
  const level = between(random, 0.05, 0.25);
  const out = hiss.map((x, i) => level * (x - low[i]!));
  for (const at of arrivals(random, samples, logBetween(random, 60, 400)))
    burst(out, at, random, { cutoff: 7000, decay: logBetween(random, 0.001, 0.006), gain: logBetween(random, 0.1, 1) });
  return out;
};

const engine: Sound = (random, samples) => {
  const hz = logBetween(random, 22, 110);
  const drift = between(random, -0.08, 0.08);
  const wobble = between(random, 0.3, 3);
  const harmonics = Array.from(
    { length: 24 },
    (_, h) => between(random, 0.3, 1) / (h + 1) ** between(random, 0.5, 1.1),
  );
  const hum = tone(samples, (t) => hz * (1 + drift * t + 0.02 * Math.sin(2 * Math.PI * wobble * t)), harmonics);
  const rumble = noise(random, samples, logBetween(random, 100, 900));
  return hum.map((x, i) => x + 2 * rumble[i]!);
};

const siren: Sound = (random, samples) => {
  const low = between(random, 400, 800);
  const high = low * between(random, 1.3, 2.4);
  const period = logBetween(random, 0.25, 5);
  const start = random() * period;
  const stepped = random() < 0.35;
  const pitch = (t: number): number => {
    const phase = ((t + start) % period) / period;
    if (stepped) return phase < 0.5 ? low : high;
    return low + (high - low) * (0.5 - 0.5 * Math.cos(2 * Math.PI * phase));
  };
  return tone(samples, pitch, [1, 0.5, 0.4, 0.2, 0.15]);
};

const clapping: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const clap = (at: number): void => {
    const gain = between(random, 0.5, 1);
    burst(out, at, random, { cutoff: 6000, decay: between(random, 0.006, 0.02), gain });
    mode(out, at, { hz: logBetween(random, 900, 2400), decay: 0.005, gain });
  };
  if (random() < 0.5) for (const at of arrivals(random, samples, logBetween(random, 15, 120))) clap(at);
  else {
    const gap = between(random, 0.18, 0.6);
    for (let t = random() * gap; t < samples / rate; t += gap * between(random, 0.95, 1.05)) clap(Math.round(t * rate));
  }
  return out;
};

const music: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const root = logBetween(random, 110, 330);
  const beat = between(random, 0.18, 0.5);
  const scale = [0, 2, 4, 5, 7, 9, 11, 12];
  const decay = logBetween(random, 0.15, 0.8);
  const bright = between(random, 0.3, 0.8);
  for (let t = 0; t < samples / rate; t += beat)
    for (const octave of [0.5, 1, 2]) {
      if (random() < 0.35) continue;
      const hz = root * octave * 2 ** (scale[Math.floor(random() * scale.length)]! / 12);
      for (let h = 1; h <= 6; h++)
        mode(out, Math.round(t * rate), { hz: hz * h, decay: decay / h ** 0.4, gain: bright ** h });
    }
  return out;
};

const doorbell: Sound = (random, samples) => {
  const out = new Float32Array(samples);
  const hz = between(random, 520, 900);
  const start = between(random, 0.02, 0.4);
  const gap = between(random, 0.35, 0.7);
  for (const [k, ratio] of [1, 0.8].entries())
    for (const [h, gain] of [1, 0.3, 0.15].entries())
      mode(out, Math.round((start + k * gap) * rate), {
        hz: hz * ratio * [1, 2.76, 5.4][h]!,
        decay: 0.5 / (h + 1),
        gain,
      });
  return out;
};

/** Sounds that a program can make from a physical model; each call of one gives another example. */
export const sounds = {
  silence,
  noise: steadyNoise,
  wind,
  glass,
  alarm,
  knocking,
  footsteps,
  water,
  rain,
  engine,
  siren,
  clapping,
  music,
  doorbell,
} as const satisfies Record<string, Sound>;

/** A sound of a model in a random room at a random level, with peak 0.02 to 0.9; silence stays as quiet as it is. */
export function synthesise(name: keyof typeof sounds, random: Random, samples: number): Float32Array {
  const dry = sounds[name](random, samples);
  if (name === "silence") return dry;
  const out = room(random, dry, between(random, 0, 0.5));
  const peak = out.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-9);
  const level = logBetween(random, 0.02, 0.9) / peak;
  return out.map((x) => x * level);
}
