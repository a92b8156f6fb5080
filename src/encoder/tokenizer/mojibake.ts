import { isBad } from "./badness.js";
import { c1AsWindows1252, charmaps, encodeWith } from "./charmaps.js";
import { decodeUtf8Variants } from "./utf8-variants.js";

/** What lead and continuation bytes of UTF-8 look like in a single-byte encoding: ftfy 6.3.1, ftfy/chardata.py. */
const utf8FirstOf2 =
  "ĂÂÄĀÅÃÆĆČÇĎĐÉĚÊËĖÈĒĘÐĞĢÍÎÏİÌĪĶĹĻŁŃŇŅÑÓÔÖŐÒŌØÕŘŚŠŞŢÞÚÛÜŰÙŪŲŮÝŹŽŻß×ΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΪΫάέήίВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ";
const utf8FirstOf3 = "áăâäàāąåãæćčçďéěêëėèēęęģíîïìīįķĺļŕźΰαβγδεζηθικλμνξοабвгдежзийклмноп";
const utf8FirstOf4 = "đðğóšπσру";
const utf8Continuation =
  "\u0080-¿ ĄÆĽŁØŖŚŠŞŤŸŹŽŻŒąæƒľłøŗśšşťźžżœˆˇ˘˛˜˝΄΅ΆΈΉΊΌΎΏЁЂЃЄЅІЇЈЉЊЋЌЎЏёђѓєѕіїјљњћќўџҐґ–—―‘’‚“”„†‡•…‰‹›€№™";
const utf8ContinuationStrict =
  "\u0080-¿ĄÆĽŁØŖŚŠŞŤŸŹŽŻŒąæƒľłøŗśšşťźžżœˆˇ˘˛˜˝΄΅ΆΈΉΊΌΎΏЁЂЃЄЅІЇЈЉЊЋЌЎЏёђѓєѕіїјљњћќўџҐґ†‡‰‹›€№™";

const embedded = new RegExp(
  `(?<![${utf8ContinuationStrict}])(?:[${utf8FirstOf2}][${utf8Continuation}]|[${utf8FirstOf3}][${utf8Continuation}]{2}|[${utf8FirstOf4}][${utf8Continuation}]{3})+`,
  "gu",
);

/** Bytes, one code unit each, that would be UTF-8 if a space in them were the byte A0 that a program took for a space. */
const altered =
  /[\xc2\xc3\xc5\xce\xd0\xd9][ ]|[\xe2\xe3][ ][\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf][ ]|\xf0[ ][\x80-\xbf][\x80-\xbf]|\xf0[\x80-\xbf][ ][\x80-\xbf]|\xf0[\x80-\xbf][\x80-\xbf][ ]/g;

/** "Ã la mode" is "à la mode", not "àla mode"; but Portuguese às, àquele, àquela, àquilo are one word. */
const aGraveWord = /\xc3 (?! |quele|quela|quilo|s )/g;

/** UTF-8 and CESU-8 in which a continuation byte was lost: 1A stands for U+FFFD, and once in a sequence "?" may. */
const lossy = new RegExp(
  [
    "[\\xc2-\\xdf]\\x1a",
    "[\\xc2-\\xc3]\\?",
    "\\xed[\\xa0-\\xaf][\\x1a?]\\xed[\\xb0-\\xbf][\\x1a?\\x80-\\xbf]",
    "\\xed[\\xa0-\\xaf][\\x1a?\\x80-\\xbf]\\xed[\\xb0-\\xbf][\\x1a?]",
    "[\\xe0-\\xef][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xe0-\\xef][\\x1a\\x80-\\xbf][\\x1a?]",
    "[\\xf0-\\xf4][\\x1a?][\\x1a\\x80-\\xbf][\\x1a\\x80-\\xbf]",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf][\\x1a?][\\x1a\\x80-\\xbf]",
    "[\\xf0-\\xf4][\\x1a\\x80-\\xbf][\\x1a\\x80-\\xbf][\\x1a?]",
    "\\x1a",
  ].join("|"),
  "g",
);

/** U+FFFD in UTF-8. */
const REPLACEMENT = "\xef\xbf\xbd";

/** Reads text again as what it was before it was decoded in a wrong encoding, as often as that helps (ftfy's fix_encoding). */
export function fixEncoding(text: string): string {
  for (let before = text; ; before = text) {
    text = fixOnce(before);
    if (text === before) return text;
  }
}

function fixOnce(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is all of these.
  if (/^[\x00-\x7f]*$/.test(text) || !isBad(text)) return text;
  const reread = rereadAsUtf8(text);
  if (reread !== undefined) return reread;
  const repaired = text.replace(embedded, (part) =>
    part.length < text.length && isBad(part) ? fixEncoding(part) : part,
  );
  if (repaired !== text) return repaired;
  return text.replace(/[\x80-\x9f]/g, c1AsWindows1252);
}

/** The text if it is UTF-8, or nearly so, in one of the single-byte encodings. */
function rereadAsUtf8(text: string): string | undefined {
  for (const charmap of charmaps) {
    let bytes = encodeWith(charmap, text);
    if (bytes === undefined) continue;
    // In MacRoman an en dash and a space would match.
    if (charmap.name !== "macroman" && bytes.search(altered) >= 0) bytes = restoreA0(bytes);
    if (charmap.sloppy) bytes = bytes.replace(lossy, REPLACEMENT);
    const decoded = decodeUtf8Variants(bytes);
    if (decoded !== undefined) return decoded;
  }
  return undefined;
}

const restoreA0 = (bytes: string): string =>
  bytes.replace(aGraveWord, "\xc3\xa0 ").replace(altered, (part) => part.replaceAll(" ", "\xa0"));
