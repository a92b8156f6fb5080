/** How one sample of a WAV file becomes a number in [-1, 1). */
export interface WavCodec {
  readonly bytes: number;
  /** Integers: no sample of it can be other than a finite number. */
  readonly finite: boolean;
  read(view: DataView, at: number): number;
}

const PCM = 1;
const FLOAT = 3;
const ALAW = 6;
const MULAW = 7;

/** By `format tag / bits a sample`. Integer PCM is divided by its half range (PARITY A4.1). */
export const codecs: ReadonlyMap<string, WavCodec> = new Map<string, WavCodec>([
  [`${PCM}/8`, { bytes: 1, finite: true, read: (view, at) => (view.getUint8(at) - 128) / 128 }],
  [`${PCM}/16`, { bytes: 2, finite: true, read: (view, at) => view.getInt16(at, true) / 32768 }],
  [`${PCM}/24`, { bytes: 3, finite: true, read: readInt24 }],
  [`${PCM}/32`, { bytes: 4, finite: true, read: (view, at) => view.getInt32(at, true) / 2147483648 }],
  [`${FLOAT}/32`, { bytes: 4, finite: false, read: (view, at) => view.getFloat32(at, true) }],
  [`${FLOAT}/64`, { bytes: 8, finite: false, read: (view, at) => view.getFloat64(at, true) }],
  [`${ALAW}/8`, { bytes: 1, finite: true, read: (view, at) => fromALaw(view.getUint8(at)) / 32768 }],
  [`${MULAW}/8`, { bytes: 1, finite: true, read: (view, at) => fromMuLaw(view.getUint8(at)) / 32768 }],
]);

function readInt24(view: DataView, at: number): number {
  return ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8388608;
}

/** A-law to 16-bit linear: even bits inverted, 3-bit exponent, 4-bit mantissa (ITU-T G.711, table 1). */
function fromALaw(code: number): number {
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return bits & 0x80 ? magnitude : -magnitude;
}

/** µ-law to 16-bit linear: all bits inverted, bias 132 (ITU-T G.711, table 2). */
function fromMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return bits & 0x80 ? -magnitude : magnitude;
}
