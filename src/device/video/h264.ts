/** H.264 in Annex B form: units that begin with 00 00 01 (ITU-T H.264, Annex B and table 7-1). */

const idrSlice = 5;
const sequenceParameters = 7;
const pictureParameters = 8;

interface Nal {
  readonly type: number;
  /** Where its start code begins, and where the next one does. */
  readonly from: number;
  readonly to: number;
}

function nals(unit: Uint8Array): readonly Nal[] {
  const starts: number[] = [];
  for (let i = 0; i + 3 < unit.length; i++) {
    if (unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1) {
      starts.push(i);
      i += 2;
    }
  }
  return starts.map((from, i) => ({ type: unit[from + 3]! & 0x1f, from, to: starts[i + 1] ?? unit.length }));
}

/** Whether decoding can begin at this access unit. */
export const isKeyUnit = (unit: Uint8Array): boolean => nals(unit).some(({ type }) => type === idrSlice);

/** The sequence and picture parameter sets of an access unit, start codes included; undefined where it has not both. */
export function parameterSets(unit: Uint8Array): Uint8Array | undefined {
  const sets = nals(unit).filter(({ type }) => type === sequenceParameters || type === pictureParameters);
  if (new Set(sets.map(({ type }) => type)).size < 2) return undefined;
  return Buffer.concat(sets.map(({ from, to }) => unit.subarray(from, to)));
}

/** `avc1.PPCCLL`: profile, constraints and level of the stream (RFC 6381, 3.3); undefined without its sequence parameters. */
export function codecOf(unit: Uint8Array): string | undefined {
  const sequence = nals(unit).find(({ type }) => type === sequenceParameters);
  if (!sequence || sequence.from + 7 > unit.length) return undefined;
  return `avc1.${Buffer.from(unit.subarray(sequence.from + 4, sequence.from + 7)).toString("hex")}`;
}
