import { describe, expect, test } from "vitest";
import { fixText } from "../../../src/encoder/tokenizer/ftfy.js";
import { unescapeHtml } from "../../../src/encoder/tokenizer/html-entities.js";
import { decodeUtf8Variants } from "../../../src/encoder/tokenizer/utf8-variants.js";

/** Results of ftfy 6.3.1; the first eight are examples of its documentation. */
describe("fixText", () => {
  test.each([
    ["âœ” No problems", "✔ No problems"],
    ["&macr;\\_(ã\x83\x84)_/&macr;", "¯\\_(ツ)_/¯"],
    ["Broken text&hellip; it&#x2019;s ﬂubberiﬁc!", "Broken text… it's flubberific!"],
    ["ＬＯＵＤ　ＮＯＩＳＥＳ", "LOUD NOISES"],
    ["P&EACUTE;REZ", "PÉREZ"],
    ["&ntilde; &Ntilde; &NTILDE; &nTILDE;", "ñ Ñ Ñ &nTILDE;"],
    ["\x1b[36;44mI'm blue\x1b[0m", "I'm blue"],
    ["voilÃ le travail", "voilà le travail"],
    ["â€œ like this â€�", '" like this �'],
    ["l’humanitÃ©", "l'humanité"],
    ["what is this \x85", "what is this …"],
    ["a\r\nb\rc\u2028d", "a\nb\nc\nd"],
    ["\ufeffa\x00b\ufff9c\x7f", "abc"],
    ["<b>&lt;</b>\n&amp;", "<b>&lt;</b>\n&amp;"],
    ["&lt;\n<b>&amp;", "<\n<b>&amp;"],
    ["e\u0301 \u212a ǅ", "é K Dž"],
    ["🐶 👩‍👩‍👧‍👦 a\u200bb", "🐶 👩‍👩‍👧‍👦 a\u200bb"],
    ["plain English, nothing to do", "plain English, nothing to do"],
  ])("%j becomes %j", (text, fixed) => {
    expect(fixText(text)).toBe(fixed);
  });

  test("what is repaired needs no second repair", () => {
    for (const text of ["Ã\x83Â©", "schÃ¶n &amp;amp; groÃŸ", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "日本èª\x9e"]) {
      expect(fixText(fixText(text))).toBe(fixText(text));
    }
  });
});

/** Results of Python's html.unescape. */
describe("unescapeHtml", () => {
  test.each([
    ["&notit; &notin; &amp &ampx", "¬it; ∉ & &x"],
    ["&#0; &#128; &#x81; &#xD800; &#1114112;", "\ufffd € \x81 \ufffd \ufffd"],
    ["&#1;&#xFDD0;&#x1FFFF;|", "|"],
    ["&#x1F600 &#65b; & &; &#; &nosuchname;", "😀 Ab; & &; &#; &nosuchname;"],
    ["&NotEqualTilde;", "≂̸"],
  ])("%j becomes %j", (text, plain) => {
    expect(unescapeHtml(text)).toBe(plain);
  });
});

test("surrogates that CESU-8 encoded one by one are one character, and a half of one is refused", () => {
  expect(decodeUtf8Variants("\xed\xa0\xbd\xed\xb8\x80!\xc0\x80")).toBe("😀!\0");
  expect(decodeUtf8Variants("\xed\xa0\xbd")).toBeUndefined();
  expect(decodeUtf8Variants("\xc3")).toBeUndefined();
});
