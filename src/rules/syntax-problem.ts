import { nearest } from "../core/suggest.js";
import type { IRecognitionException, IToken } from "./chevrotain.js";
import type { Problem } from "./problem.js";
import * as token from "./tokens.js";

/** What people write from the habit of other languages. */
const habits: Readonly<Record<string, string>> = {
  "&": "Write `and`.",
  "|": "Write `or`.",
  "!": "Write `not`, or != for unequal.",
  "=": "Write == for equal.",
  "[": "Group with ( and ).",
  "{": "Group with ( and ).",
  "*": "A sensor that may be any one is written any.concept.",
};

const quote = (image: string): string => `\`${image.length > 40 ? `${image.slice(0, 40)}…` : image}\``;

/** A character that begins no token. */
export function wrongCharacter(text: string, offset: number, length: number): Problem {
  const image = text.slice(offset, offset + length);
  const hint = habits[image[0] ?? ""];
  return { message: `${quote(image)} has no meaning here`, ...(hint && { hint }), from: offset, to: offset + length };
}

/** The parser's error as a sentence about what stands there, and what was probably meant. */
export function syntaxProblem(text: string, error: IRecognitionException): Problem {
  const at = error.token;
  const missing = expected(error);
  if (Number.isNaN(at.startOffset) || at.image === "") {
    const message =
      text.trim() === "" ? "the expression is empty" : `the expression ends where ${missing} should follow`;
    return { message, ...hinted(missing), from: text.trimEnd().length, to: text.length };
  }
  const hint = hinted(missing).hint ?? aboutToken(at);
  const message = `${quote(at.image)} stands where ${missing} should stand`;
  return { message, ...(hint && { hint }), from: at.startOffset, to: at.startOffset + at.image.length };
}

function expected(error: IRecognitionException): string {
  const named = /expecting(?: token of type)? --> (\S+) <--/i.exec(error.message)?.[1];
  if (named !== undefined) return named === "signal" || named === "duration" ? `a ${named}` : quote(named);
  return error.name === "NotAllInputParsedException" ? "an operator or the end" : "a signal or an operator";
}

function hinted(missing: string): { hint?: string } {
  if (missing === "a duration") return { hint: "Write 500ms, 2s, 5m, 1h or 1d." };
  if (missing === "`within`") return { hint: "Write a then b within 5s." };
  if (missing === "`,`") return { hint: "A window is named after a comma, for example once(camera.person, 2m)." };
  return {};
}

function aboutToken(at: IToken): string | undefined {
  if (at.tokenType === token.And || at.tokenType === token.Or) {
    return "`then … within` binds loosest: put it in parentheses, (a then b within 5s) and c.";
  }
  return at.tokenType === token.Word ? aboutWord(at) : undefined;
}

function aboutWord(at: IToken): string {
  const meant = nearest(
    at.image.toLowerCase(),
    token.keywords.map((each) => each.name),
  );
  if (meant !== undefined) return `Did you mean ${meant}?`;
  if (at.image.includes(".")) return "Sensor and concept ids are 1 to 64 of a-z, 0-9, _ and -, joined by one dot.";
  return "A signal is written sensor.concept, for example mic.glass_breaking.";
}
