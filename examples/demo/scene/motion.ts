import { noise } from "./random.js";
import { scene } from "./script.js";

/** Standard gravity in m/s². */
const gravity = 9.80665;

/** Samples a second of the belt sensor. */
export const imuRate = 100;

/** Heel strikes a second times two: a calm walk. */
const stepRate = 1.85;

/** Half a second of stumbling, then the body turns by 80 degrees while it is almost weightless, then the ground. */
const stumble = 0.45;
const drop = 0.5;
const lean = (80 * Math.PI) / 180;

/** How far the body leans forward at `t`, in radians. */
function tilt(t: number): number {
  const start = scene.fall - drop;
  const share = Math.min(1, Math.max(0, (t - start) / drop));
  return lean * share * share * (3 - 2 * share);
}

/** Upward acceleration of the hip beyond gravity while walking: two bounces a stride and the shock of each heel. */
function bounce(t: number): number {
  const phase = 2 * Math.PI * stepRate * t;
  const heel = (t * stepRate) % 1;
  return 1.9 * Math.sin(phase) + 0.7 * Math.sin(2 * phase + 0.6) + 3.2 * Math.exp(-heel / 0.05) * Math.cos(heel * 90);
}

/** Share of the walking that is there at `t`: it stops within a third of a second. */
const walking = (t: number): number => Math.min(1, Math.max(0, (scene.walk.to - t) / 0.3));

/** The ground: a shock of some 6 g, a rebound, and the ringing of a belt that holds the sensor. */
function impact(t: number): number {
  const shock = (at: number, strength: number, width: number): number =>
    t < at ? 0 : strength * Math.exp(-(t - at) / width) * Math.cos(2 * Math.PI * 14 * (t - at));
  return shock(scene.fall, 58, 0.035) + shock(scene.fall + 0.16, 22, 0.05) + shock(scene.fall + 0.42, 6, 0.06);
}

/** One sample `ax ay az gx gy gz` in m/s² and rad/s, worn at the belt: x to the right, y up, z forward. */
export function motionAt(t: number, random: () => number): number[] {
  const angle = tilt(t);
  const turning = (tilt(t + 0.005) - tilt(t - 0.005)) / 0.01;
  const falling = t > scene.fall - drop && t < scene.fall;
  const support = falling ? 0.3 : 1;
  const walk = walking(t);
  const stride = Math.PI * stepRate * t;
  const trip = t > scene.fall - drop - stumble && t < scene.fall - drop ? Math.sin((t - scene.fall) * 19) : 0;
  const up = gravity * support + walk * bounce(t) + 6 * trip;
  const hit = impact(t);
  return [
    walk * 1.1 * Math.sin(stride) + 1.5 * trip + 0.25 * hit + noise(random, 0.08),
    up * Math.cos(angle) + 0.4 * hit + noise(random, 0.08),
    up * Math.sin(angle) + walk * 1.4 * Math.cos(2 * stride) + hit + noise(random, 0.08),
    turning + walk * 0.35 * Math.sin(2 * stride) + 0.8 * trip + 0.03 * hit + noise(random, 0.01),
    walk * 0.45 * Math.sin(stride + 0.4) + 0.02 * hit + noise(random, 0.01),
    walk * 0.25 * Math.cos(stride) + noise(random, 0.01),
  ];
}
