import { decodeHTML, decodeHTMLStrict } from "entities";
import { c1AsWindows1252 } from "./charmaps.js";

/** Code points that HTML forbids: `html.unescape` gives nothing for them. */
const forbidden = (code: number): boolean =>
  (code >= 0x1 && code <= 0x8) ||
  (code >= 0xe && code <= 0x1f) ||
  (code >= 0x7f && code <= 0x9f) ||
  (code >= 0xfdd0 && code <= 0xfdef) ||
  code === 0xb ||
  (code & 0xfffe) === 0xfffe;

const reference = /&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/g;

/** Python's `html.unescape`: HTML5's rules, names without ";" and their longest prefix included. */
export function unescapeHtml(text: string): string {
  return text.includes("&") ? text.replace(reference, (whole, name: string) => unescapeOne(whole, name)) : text;
}

function unescapeOne(whole: string, name: string): string {
  if (name.startsWith("#")) return numeric(name.slice(1).replace(";", ""));
  const exact = named(whole);
  return exact ?? decodeHTML(whole);
}

/** The character of a name that ends in ";", undefined where HTML5 has no such name. */
function named(whole: string): string | undefined {
  const decoded = whole.endsWith(";") ? decodeHTMLStrict(whole) : whole;
  return decoded === whole ? undefined : decoded;
}

function numeric(digits: string): string {
  const code = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  if (code === 0 || (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) return "\ufffd";
  if (code >= 0x80 && code <= 0x9f) return c1AsWindows1252(String.fromCharCode(code));
  return forbidden(code) ? "" : String.fromCodePoint(code);
}

const unambiguous = /&#?[0-9A-Za-z]{1,24};/g;

/**
 * The references that ftfy decodes (ftfy 6.3.1, unescape_html): those that end in ";", and names in capitals such as
 * &EACUTE; for which HTML5 has only a small one.
 */
export function unescapeUnambiguous(text: string): string {
  return text.includes("&") ? text.replace(unambiguous, unescapeFixup) : text;
}

function unescapeFixup(whole: string): string {
  const exact = whole.startsWith("&#") ? undefined : named(whole);
  if (exact !== undefined) return exact;
  if (whole.startsWith("&#")) {
    const decoded = unescapeHtml(whole);
    return decoded.includes(";") ? whole : decoded;
  }
  if (whole !== whole.toUpperCase() || unescapeHtml(whole) !== whole) return whole;
  return named(whole.toLowerCase())?.toUpperCase() ?? whole;
}
