import { scene } from "./script.js";

/** Where the person's middle is, as a share of the picture's width; outside of it before and after the visit. */
function middleAt(t: number): number {
  const { from, to } = scene.person;
  const share = (t - from) / (to - from);
  return -0.15 + 1.3 * share;
}

/** True where the picture shows the person: a head, shoulders and legs that swing as they walk. */
export function personAt(t: number, u: number, v: number): boolean {
  if (t < scene.person.from || t > scene.person.to) return false;
  const x = u - middleAt(t);
  const swing = 0.05 * Math.sin(2 * Math.PI * 0.9 * t);
  const head = Math.hypot(x / 0.05, (v - 0.24) / 0.085) < 1;
  const trunk = v > 0.32 && v < 0.66 && Math.abs(x) < 0.1 - 0.06 * Math.abs(v - 0.42);
  const leg = (side: number): boolean => v >= 0.66 && Math.abs(x - side * (0.035 + swing * (v - 0.66) * 3)) < 0.032;
  return head || trunk || leg(1) || leg(-1);
}
