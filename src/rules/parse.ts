import type { IToken } from "./chevrotain.js";
import { limits } from "./limits.js";
import { endOf, type Piece, RuleParser, type Span } from "./parser.js";
import type { Problem } from "./problem.js";
import { syntaxProblem, wrongCharacter } from "./syntax-problem.js";
import * as token from "./tokens.js";
import { type Expression, isQuantity, type Truth } from "./tree.js";

export type Parsed =
  | { readonly ok: true; readonly tree: Truth; readonly spans: ReadonlyMap<Expression, Span> }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const parser = new RuleParser();

/** The levels of nested parentheses, counted before the parser recurses into them. */
function tooDeep(tokens: readonly IToken[]): IToken | undefined {
  let depth = 0;
  for (const each of tokens) {
    if (each.tokenType === token.Open && ++depth > limits.depth) return each;
    if (each.tokenType === token.Close) depth--;
  }
  return undefined;
}

/** Parses one expression. Every lexical or type error is found; of syntax errors, the first. Takes time linear in the text. */
export function parse(text: string): Parsed {
  const failed = (...problems: Problem[]): Parsed => ({ ok: false, problems });
  if (text.length > limits.text) {
    const message = `the expression has ${text.length} characters, more than ${limits.text}`;
    return failed({ message, hint: "Split the rule into several.", from: limits.text, to: text.length });
  }
  const { tokens, errors } = token.lexer.tokenize(text);
  if (errors.length > 0) return failed(...errors.map((each) => wrongCharacter(text, each.offset, each.length)));
  const deep = tooDeep(tokens);
  if (deep) {
    const message = `parentheses are nested deeper than ${limits.depth} levels`;
    return failed({ message, hint: "Split the rule into several.", from: deep.startOffset, to: endOf(deep) });
  }
  parser.problems.length = 0;
  parser.spans = new Map();
  parser.input = tokens;
  const piece = parser.sequence() as Piece | undefined;
  const [error] = parser.errors;
  if (error) return failed(syntaxProblem(text, error));
  if (piece && isQuantity(piece.tree)) parser.problems.push(notATruth(piece));
  if (parser.problems.length > 0 || !piece) return failed(...parser.problems.sort((a, b) => a.from - b.from));
  return { ok: true, tree: piece.tree as Truth, spans: parser.spans };
}

const notATruth = (piece: Piece): Problem => ({
  message: `a ${piece.tree.op} is used as a truth value`,
  hint: "Compare it with a number, for example >= 3.",
  from: piece.from,
  to: piece.to,
});
