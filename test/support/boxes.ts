import { seeded } from "../../src/core/random.js";

/** A scene of some bright boxes on black, grey 0 to 255. */
export function boxes(seed: number, side: number): Uint8Array<ArrayBuffer> {
  const random = seeded(seed);
  const data = new Uint8Array(side * side);
  for (let n = 0; n < 5; n++) {
    const [x, y, w, h] = Array.from({ length: 4 }, () => Math.floor(random() * 0.5 * side)) as [
      number,
      number,
      number,
      number,
    ];
    const level = n === 0 ? 255 : 80 + Math.floor(170 * random());
    for (let row = y; row < y + h + 20; row++) data.fill(level, row * side + x, row * side + x + w + 20);
  }
  return data;
}
