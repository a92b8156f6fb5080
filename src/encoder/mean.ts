import { normalize, type UnitVector } from "../core/embedding.js";

/** What an encoder makes of one window, file or text. */
export interface Encoded {
  /** Mean of the unit vectors of its clips (or prompts), of length 1. */
  readonly vector: UnitVector;
  /** Mean over them of unit vector times the tower's `rawScale`: what the original model gives. */
  readonly raw: Float32Array;
}

/** Each row made a unit vector, then averaged. Throws `BAD_TENSOR` for a row without a direction. */
export function meanOf(rows: readonly ArrayLike<number>[], rawScale: number): Encoded {
  const units = rows.map(normalize);
  const mean = new Float64Array(units[0]!.length);
  for (const unit of units) for (let i = 0; i < mean.length; i++) mean[i]! += unit[i]! / units.length;
  return { vector: normalize(mean), raw: Float32Array.from(mean, (value) => value * rawScale) };
}
