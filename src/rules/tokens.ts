import { createToken, Lexer, type TokenType } from "./chevrotain.js";

/** What may not follow a number, a duration or an id: `5s.x` is no duration and `a.b.c` no signal. */
const stop = "(?![a-zA-Z0-9_.-])";

export const Blank = createToken({ name: "blank", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
export const Duration = createToken({
  name: "duration",
  pattern: new RegExp(`-?\\d+(?:\\.\\d+)?[ \\t]*(?:us|ms|s|m|h|d)${stop}`),
});
export const NumberText = createToken({ name: "number", pattern: new RegExp(`-?\\d+(?:\\.\\d+)?${stop}`) });
export const SignalText = createToken({
  name: "signal",
  pattern: new RegExp(`[a-z0-9_-]{1,64}\\.[a-z0-9_-]{1,64}${stop}`),
});
/** Any other run of id characters: the parser never accepts it, so that its error can say what was meant. */
export const Word = createToken({ name: "word", pattern: /[a-zA-Z0-9_.-]+/ });

const keyword = (name: string): TokenType => createToken({ name, pattern: new RegExp(name), longer_alt: Word });

export const Then = keyword("then");
export const Within = keyword("within");
export const Or = keyword("or");
export const And = keyword("and");
export const Since = keyword("since");
export const Not = keyword("not");
export const For = keyword("for");
export const Once = keyword("once");
export const Always = keyword("always");
export const Begin = keyword("begin");
export const End = keyword("end");
export const Count = keyword("count");
export const Score = keyword("score");

export const Sign = createToken({ name: "sign", pattern: />=|<=|==|!=|>|</ });
export const Open = createToken({ name: "(", pattern: "(" });
export const Close = createToken({ name: ")", pattern: ")" });
export const Comma = createToken({ name: ",", pattern: "," });

export const keywords = [Then, Within, Or, And, Since, Not, For, Once, Always, Begin, End, Count, Score];

/** In the order in which the lexer tries them. */
export const vocabulary = [Blank, Duration, NumberText, SignalText, ...keywords, Word, Sign, Open, Close, Comma];

export const lexer = new Lexer(vocabulary, { positionTracking: "onlyOffset", ensureOptimizations: false });
