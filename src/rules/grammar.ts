/** The grammar of an expression, for editors and for docs/rules.md; src/rules/parser.ts has one method a line. */
export const grammar = `expression  = sequence
sequence    = disjunction { "then" disjunction "within" duration }
disjunction = conjunction { "or" conjunction }
conjunction = past { "and" past }
past        = negation { "since" negation }
negation    = { "not" } lasting
lasting     = comparison { "for" duration }
comparison  = operand [ sign operand ]
sign        = ">" | ">=" | "<" | "<=" | "==" | "!="
operand     = "(" sequence ")" | signal | number | "score" "(" signal ")"
            | ( "once" | "always" | "count" ) "(" sequence "," duration ")"
            | ( "begin" | "end" ) "(" sequence ")"
signal      = id "." id                 ids: 1 to 64 of a-z, 0-9, _ and -
duration    = number ( "us" | "ms" | "s" | "m" | "h" | "d" )
`;
