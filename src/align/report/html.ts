declare const markup: unique symbol;

/** Text that is markup already; only `html` makes it. */
export type Html = { readonly text: string; readonly [markup]: true };

type Part = Html | string | number | readonly Part[];

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const asText = (part: Part): string => {
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return part.replace(/[&<>"']/g, (mark) => escapes[mark]!);
  return "text" in part ? part.text : part.map(asText).join("");
};

/** Markup from a template: every value that is not markup itself is escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.reduce((sum, string, i) => sum + asText(parts[i - 1]!) + string);
  return { text } as Html;
}
