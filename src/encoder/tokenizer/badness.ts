/** Categories of the characters that occur in mojibake: ftfy 6.3.1, ftfy/badness.py. */
const common = "\u00a0\u00ad·´–—―…’";
const c1 = "\u0080-\u009f";
const bad = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\ufffdªº";
const law = "¶§";
const currency = "¢£¥₧€";
const startPunctuation = "¡«¿©΄΅‘‚“„•‹\uf8ff";
const endPunctuation = "®»˝”›™";
const numeric = "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№";
const kaomoji = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°";
const upperAccented = "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
const lowerAccented = "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ";
const upperCommon = "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я";
const lowerCommon = "α-ωάέήίΰа-џ";
const box = "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓";

/** Python's \\s and \\w differ from JavaScript's. */
const space = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const word = "[\\p{L}\\p{N}_]";
const accented = `${lowerAccented}${upperAccented}`;

/** Sequences that are far more often mojibake than meant, in ftfy's order; each line is one of its rules. */
const unlikely = [
  `[${c1}]`,
  `[${bad}${accented}${box}${startPunctuation}${endPunctuation}${currency}${numeric}${law}][${bad}]`,
  `[a-zA-Z][${lowerCommon}${upperCommon}][${bad}]`,
  `[${bad}][${accented}${box}${startPunctuation}${endPunctuation}${currency}${numeric}${law}]`,
  `[${lowerAccented}${lowerCommon}${box}${endPunctuation}${currency}${numeric}][${upperAccented}]`,
  `[${box}${endPunctuation}${currency}${numeric}][${lowerAccented}]`,
  `[${lowerAccented}${box}${endPunctuation}][${currency}]`,
  `${space}[${upperAccented}][${currency}]`,
  `[${upperAccented}${box}][${numeric}${law}]`,
  `[${accented}${box}${currency}${endPunctuation}][${startPunctuation}][${numeric}]`,
  `[${accented}${currency}${numeric}${box}${law}][${endPunctuation}][${startPunctuation}]`,
  `[${currency}${numeric}${box}][${startPunctuation}]`,
  `[a-z][${upperAccented}][${startPunctuation}${currency}]`,
  `[${box}][${kaomoji}]`,
  `[${accented}${currency}${numeric}${startPunctuation}${endPunctuation}${law}][${box}]`,
  `[${box}][${endPunctuation}]`,
  `[${accented}][${startPunctuation}${endPunctuation}]${word}`,
  // The ligature œ when no unaccented Latin letter follows.
  "[Œœ][^A-Za-z]",
  // Degree signs after capital letters.
  `[${upperAccented}]°`,
  // Two-character mojibake of windows-1252.
  `[ÂÃÎÐ][€œŠš¢£Ÿž\u00a0\u00ad®©°·»${startPunctuation}${endPunctuation}–—´]`,
  "×[²³]",
  // Arabic words read as windows-1252: four characters, because some of them are common.
  `[ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»][ØÙ][${common}${currency}${bad}${numeric}${startPunctuation}ŸŠ®°µ»]`,
  // South Asian alphabets read as windows-1252.
  "à[²µ¹¼½¾]",
  // MacRoman.
  "√[±∂†≠®™´≤≥¥µø]",
  "≈[°¢]",
  "‚Ä[ìîïòôúùû†°¢π]",
  "‚[âó][àä°ê]",
  // Windows-1251 of the U+2000 range, of Latin-1 and Cyrillic, and of windows-1252 mojibake.
  "вЂ",
  `[ВГРС][${c1}${bad}${startPunctuation}${endPunctuation}${currency}°µ][ВГРС]`,
  "ГўВЂВ.[A-Za-z ]",
  // Windows-1252 of à, á and the no-break space itself.
  "Ã[\u00a0¡]",
  `[a-z]${space}?[ÃÂ][ ]`,
  "^[ÃÂ][ ]",
  // Â before a character that is encoded as itself.
  `[a-z.,?!${endPunctuation}]Â[ ${startPunctuation}${endPunctuation}]`,
  // Windows-1253 of the U+2000 range, of Latin-1 and Greek.
  "β€[™\u00a0Ά\u00ad®°]",
  `[ΒΓΞΟ][${c1}${bad}${startPunctuation}${endPunctuation}${currency}°][ΒΓΞΟ]`,
  // Windows-1257 of the U+2000 range.
  "ā€",
];

const badness = new RegExp(unlikely.join("|"), "u");

/** True for a text that looks like mojibake: UTF-8 that was read in a single-byte encoding. */
export const isBad = (text: string): boolean => badness.test(text);
