/** CRC-16 of FLAC: polynomial 0x8005, no reflection, initial 0. */
const buypass = tableOf(0x8005);
/** CRC-16/CCITT-FALSE: polynomial 0x1021, no reflection, initial 0xffff; what firmware frames carry. */
const ccitt = tableOf(0x1021);

function tableOf(polynomial: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ polynomial : crc << 1;
    return crc & 0xffff;
  });
}

function update(table: Uint16Array, bytes: Uint8Array, span: { from: number; to: number; crc: number }): number {
  let { crc } = span;
  for (let i = span.from; i < span.to; i++) crc = ((crc << 8) & 0xffff) ^ table[(crc >> 8) ^ bytes[i]!]!;
  return crc;
}

/** Checksum of a FLAC frame (RFC 9639, 9.3). */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length): number {
  return update(buypass, bytes, { from, to, crc: 0 });
}

/** Checksum of a firmware frame. */
export function crc16Ccitt(bytes: Uint8Array, from = 0, to = bytes.length): number {
  return update(ccitt, bytes, { from, to, crc: 0xffff });
}
