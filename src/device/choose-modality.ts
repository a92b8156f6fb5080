import { SenseError } from "../core/errors.js";

/** The first wish that is expressed, or the first of what a device can give. Throws `BAD_CONFIG` for a wish it cannot meet. */
export function chooseModality<M extends string>(among: readonly M[], ...wishes: readonly (string | undefined)[]): M {
  const wish = wishes.find((one) => one !== undefined);
  if (wish === undefined) return among[0]!;
  const found = among.find((one) => one === wish);
  if (!found) {
    throw new SenseError("BAD_CONFIG", `the adapter gives ${among.join(", ")}, not ${wish}`, {
      hint: "Choose another adapter, or another modality for the sensor.",
    });
  }
  return found;
}
