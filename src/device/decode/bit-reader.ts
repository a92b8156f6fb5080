/** Thrown where a stream ends inside a value; the caller says what that means for its format. */
export class EndOfBits extends Error {}

/** Reads big-endian bit fields. Plain and allocation-free: it runs for every sample of a FLAC file. */
export class BitReader {
  private bit = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private byte: number,
  ) {}

  /** Index of the byte that holds the next bit. */
  get position(): number {
    return this.byte;
  }

  /** An unsigned field of 0 to 32 bits. */
  bits(count: number): number {
    if (count > 24) return this.bits(count - 16) * 65536 + this.bits(16);
    if (count === 0) return 0;
    const value = this.window() >>> (32 - count);
    this.skip(count);
    return value;
  }

  /** A two's complement field of 1 to 32 bits. */
  signed(count: number): number {
    const value = this.bits(count);
    return value >= 2 ** (count - 1) ? value - 2 ** count : value;
  }

  /** The number of zeros before the next one, which is consumed too. */
  unary(): number {
    let zeros = 0;
    for (;;) {
      const valid = 32 - this.bit;
      const run = Math.clz32(this.window());
      if (run < valid) {
        this.skip(run + 1);
        return zeros + run;
      }
      zeros += valid;
      this.skip(valid);
    }
  }

  /** Goes to the next byte boundary. */
  align(): void {
    if (this.bit > 0) this.skip(8 - this.bit);
  }

  /** The next 25 or more bits, at the top of a word; zeros beyond the end. */
  private window(): number {
    const { bytes, byte } = this;
    const word =
      ((bytes[byte] ?? 0) << 24) |
      ((bytes[byte + 1] ?? 0) << 16) |
      ((bytes[byte + 2] ?? 0) << 8) |
      (bytes[byte + 3] ?? 0);
    return word << this.bit;
  }

  private skip(count: number): void {
    const bit = this.bit + count;
    this.byte += bit >> 3;
    this.bit = bit & 7;
    if (this.byte > this.bytes.length || (this.byte === this.bytes.length && this.bit > 0)) throw new EndOfBits();
  }
}
