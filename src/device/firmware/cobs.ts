/** Consistent Overhead Byte Stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7, 1999): no zero is left in a frame. */

/** The frame without zeros, followed by the zero that ends it. */
export function cobsEncode(frame: Uint8Array): Uint8Array {
  const out = new Uint8Array(stuffedBytes(frame.length) + 1);
  let code = 0;
  let at = 1;
  for (const byte of frame) {
    // A block of 254 bytes is full, and stands for no zero.
    if (at - code === 0xff) {
      out[code] = 0xff;
      code = at++;
    }
    if (byte === 0) {
      out[code] = at - code;
      code = at++;
    } else out[at++] = byte;
  }
  out[code] = at - code;
  return out.subarray(0, at + 1);
}

/** The frame in a stretch without zeros; undefined where the stretch is none. */
export function cobsDecode(stuffed: Uint8Array): Uint8Array | undefined {
  const out = new Uint8Array(stuffed.length);
  let length = 0;
  for (let at = 0; at < stuffed.length; ) {
    const code = stuffed[at]!;
    const end = at + code;
    if (code === 0 || end > stuffed.length) return undefined;
    for (at += 1; at < end; at++) out[length++] = stuffed[at]!;
    if (code < 0xff && at < stuffed.length) out[length++] = 0;
  }
  return out.subarray(0, length);
}

/** The most bytes that a frame of `length` bytes has when stuffed, without its final zero. */
export const stuffedBytes = (length: number): number => length + Math.floor(length / 254) + 1;
