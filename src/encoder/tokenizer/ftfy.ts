import { c1AsWindows1252 } from "./charmaps.js";
import { unescapeUnambiguous } from "./html-entities.js";
import { fixEncoding } from "./mojibake.js";

/** Longest piece that is repaired as one, in characters. */
const MAX_SEGMENT = 1_000_000;

const ligatures: Readonly<Record<string, string>> = {
  Ĳ: "IJ",
  ĳ: "ij",
  ŉ: "ʼn",
  Ǳ: "DZ",
  ǲ: "Dz",
  ǳ: "dz",
  Ǆ: "DŽ",
  ǅ: "Dž",
  ǆ: "dž",
  Ǉ: "LJ",
  ǈ: "Lj",
  ǉ: "lj",
  Ǌ: "NJ",
  ǋ: "Nj",
  ǌ: "nj",
  ﬀ: "ff",
  ﬁ: "fi",
  ﬂ: "fl",
  ﬃ: "ffi",
  ﬄ: "ffl",
  ﬅ: "ſt",
  ﬆ: "st",
};

const ligature = new RegExp(`[${Object.keys(ligatures).join("")}]`, "g");

/** The repairs after the encoding's, in ftfy's order. */
const repairs: readonly ((text: string) => string)[] = [
  (text) => text.replace(/[\x80-\x9f]/g, c1AsWindows1252),
  (text) => text.replace(ligature, (letter) => ligatures[letter]!),
  (text) => text.replace(/[\u3000\uff01-\uffef]/g, standardWidth),
  (text) => text.replace(/[\u201c-\u201f]/g, '"').replace(/[\u02bc\u2018-\u201b]/g, "'"),
  (text) => text.replace(/\r\n|[\r\u2028\u2029\x85]/g, "\n"),
  (text) => text.replace(/\p{Surrogate}/gu, "\ufffd"),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals' escape sequences begin with one.
  (text) => text.replace(/\x1b\[(?:\p{Nd}|;)*[a-zA-Z]/gu, ""),
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed.
  (text) => text.replace(/[\x00-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g, ""),
  (text) => text.normalize("NFC"),
];

const standardWidth = (character: string): string => (character === "\u3000" ? " " : character.normalize("NFKC"));

/**
 * Repairs text as `ftfy.fix_text` with its defaults (ftfy 6.3.1, Apache-2.0, Robyn Speer): mojibake, HTML references, ligatures,
 * widths, quotes, line breaks, controls, NFC. HTML references are left alone from the first line on that has a "<".
 */
export function fixText(text: string): string {
  let out = "";
  let decode = true;
  for (const segment of segments(text)) {
    decode &&= !segment.includes("<");
    out += fixSegment(segment, decode);
  }
  return out;
}

/** Lines with their line feed, long ones cut. */
function* segments(text: string): Generator<string> {
  for (const [line] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const characters = line.length > MAX_SEGMENT ? [...line] : [line];
    if (characters.length === 1) yield line;
    else
      for (let at = 0; at < characters.length; at += MAX_SEGMENT) yield characters.slice(at, at + MAX_SEGMENT).join("");
  }
}

function fixSegment(segment: string, decode: boolean): string {
  for (let before = segment; ; before = segment) {
    segment = fixEncoding(decode ? unescapeUnambiguous(before) : before);
    for (const repair of repairs) segment = repair(segment);
    if (segment === before) return segment;
  }
}
