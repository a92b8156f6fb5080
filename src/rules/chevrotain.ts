/** The parser's library. The build makes one file of it: its 680 modules would take 0.4 s of each start. */
export {
  createToken,
  EmbeddedActionsParser,
  type IRecognitionException,
  type IToken,
  Lexer,
  type TokenType,
  tokenMatcher,
} from "chevrotain";
