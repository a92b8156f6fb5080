const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Java's two-byte null and the surrogate pairs that CESU-8 encodes one by one. */
const variants = /\xc0\x80|\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]/g;

/** UTF-8, or its variants CESU-8 and Java's, from bytes of one code unit each; undefined where it is none of them. */
export function decodeUtf8Variants(bytes: string): string | undefined {
  let out = "";
  let at = 0;
  for (const match of bytes.matchAll(variants)) {
    const before = decodeUtf8(bytes.slice(at, match.index));
    if (before === undefined) return undefined;
    out += before + variant(match[0]);
    at = match.index + match[0].length;
  }
  const rest = decodeUtf8(bytes.slice(at));
  return rest === undefined ? undefined : out + rest;
}

function decodeUtf8(bytes: string): string | undefined {
  try {
    return strict.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** 11101101 1010abcd 10efghij 11101101 1011klmn 10opqrst is the code point 0x10000 + abcdefghijklmnopqrst. */
function variant(bytes: string): string {
  if (bytes.length === 2) return "\0";
  const bits = (i: number, mask: number): number => bytes.charCodeAt(i) & mask;
  return String.fromCodePoint(0x10000 + (bits(1, 15) << 16) + (bits(2, 63) << 10) + (bits(4, 15) << 6) + bits(5, 63));
}
