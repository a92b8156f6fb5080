import { describe, expect, test } from "vitest";
import { printDuration } from "../../src/core/duration.js";
import { s } from "../../src/core/time.js";
import { language } from "../../src/rules/build.js";
import { compile } from "../../src/rules/compile.js";
import { limits } from "../../src/rules/limits.js";
import { parse } from "../../src/rules/parse.js";
import { print } from "../../src/rules/print.js";
import type { Truth } from "../../src/rules/tree.js";

const { always, and, begin, count, end, lost, not, on, onAny, once, or, rule, score, since, then } = language;

const tree = (text: string): Truth => {
  const parsed = parse(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return parsed.tree;
};
const [a, b, c, d] = [on("m", "a"), on("m", "b"), on("m", "c"), on("m", "d")];

describe("an expression", () => {
  test.each<[string, Truth]>([
    ["m.a then m.b or m.c within 5s", then(a, or(b, c), { within: s(5) })],
    ["m.a then m.b within 5s then m.c within 2s", then(then(a, b, { within: s(5) }), c, { within: s(2) })],
    ["m.a or m.b and m.c", or(a, and(b, c))],
    ["m.a and m.b since m.c", and(a, since(b, c))],
    ["m.a since m.b since m.c", since(since(a, b), c)],
    ["not m.a since m.b", since(not(a), b)],
    ["not m.a for 2s", not(always(a, s(2)))],
    ["(not m.a) for 2s", always(not(a), s(2))],
    ["m.a for 2s for 3s", always(always(a, s(2)), s(3))],
    ["score(m.a) > 0.5 for 2s", always(score(a).above(0.5), s(2))],
    ["not not m.a", not(not(a))],
    ["m.a and m.b and (m.c and m.d)", and(a, b, and(c, d))],
    ["count(m.a or m.b, 1h) >= 3", count(or(a, b), s(3600)).atLeast(3)],
    ["count(m.a, 1h) != count(m.b, 1h)", count(a, s(3600)).differs(count(b, s(3600)))],
    ["once(m.a, 90s)", once(a, s(90))],
    ["always(m.a, 1.5m)", always(a, s(90))],
    ["begin(m.a) or end(any.b)", or(begin(a), end(onAny("b")))],
    ["m.lost", lost("m")],
    ["  m.a\n  and m.b ", and(a, b)],
    ["then.within or not.for", or(on("then", "within"), on("not", "for"))],
    ["5s-cam.3d or 0x.1", or(on("5s-cam", "3d"), on("0x", "1"))],
  ])("%s is read as its grammar says, and the builders make the same tree", (text, expected) => {
    expect(tree(text)).toEqual(expected);
    expect(tree(print(expected))).toEqual(expected);
  });

  test("binds as its page says: needless parentheses are not printed", () => {
    expect(print(tree("((m.a) and (not (m.b))) then ((m.c or m.d)) within 5000ms"))).toBe(
      "m.a and not m.b then m.c or m.d within 5s",
    );
  });

  test.each([
    [1, "1us"],
    [1500, "1500us"],
    [90_000_000, "90s"],
    [120_000_000, "2m"],
    [86_400_000_000, "1d"],
  ])("%d µs are printed as %s", (span, text) => expect(printDuration(span as never)).toBe(text));
});

describe("a mistake is found where it is, with what was probably meant", () => {
  test.each([
    ["", 0, /empty/, undefined],
    ["m.a &&  m.b", 4, /`&&` has no meaning/, /`and`/],
    ["m.a || m.b", 4, /`\|\|`/, /`or`/],
    ["!m.a", 0, /`!`/, /`not`/],
    ["m.a andd m.b", 4, /`andd` stands/, /Did you mean and\?/],
    ["begn(m.a)", 0, /`begn`/, /Did you mean begin\?/],
    ["glass", 0, /`glass`/, /sensor\.concept/],
    ["Mic.glass", 0, /`Mic.glass`/, /a-z/],
    ["m.a.b", 0, /`m.a.b`/, /one dot/],
    ["m.a then m.b", 12, /ends where `within`/, /a then b within 5s/],
    ["m.a then m.b within 5s and m.c", 23, /`and` stands/, /\(a then b within 5s\) and c/],
    ["m.a within 5s", 4, /`within`/, undefined],
    ["(m.a or m.b", 11, /ends where `\)`/, undefined],
    ["m.a)", 3, /`\)`/, undefined],
    ["once(m.a)", 8, /`,`/, /once\(camera.person, 2m\)/],
    ["m.a for soon", 8, /a duration/, /500ms/],
    ["m.a for 5", 8, /a duration/, /500ms/],
    ["m.a m.b", 4, /`m.b`/, undefined],
    ["count(m.a, 1h)", 0, /a count is used as a truth value/, />= 3/],
    ["m.b and count(m.a, 1h)", 8, /a count is used as a truth value/, />= 3/],
    ["not score(m.a)", 4, /a score is used as a truth value/, />= 3/],
    ["3", 0, /a number is used as a truth value/, />= 3/],
    ["m.b or m.a >= 3", 7, /a truth value is compared/, /score\(m.a\)/],
    ["m.a for -5s", 8, /negative/, /5s, not -5s/],
    ["once(m.a, 400d)", 10, /longer than 366d/, /shorter/],
    ["m.a then m.b within 0s", 20, /above 0/, /holds nothing/],
    ["count(m.a, 0s) > 1", 11, /above 0/, /holds nothing/],
    ["m.a for 0.5us", 8, /not a whole number of microseconds/, /µs/],
    ["m.a for 99999999999999999999999d", 8, /longer/, undefined],
    ["score(m.lost) > 0", 6, /no score/, undefined],
  ])("%j", (text, offset, message, hint) => {
    const parsed = parse(text);
    if (parsed.ok) throw new Error("it was read");
    const [problem] = parsed.problems;
    expect(problem?.message).toMatch(message);
    expect(problem?.from).toBe(offset);
    if (hint) expect(problem?.hint).toMatch(hint);
  });

  test("every type error of an expression is found at once", () => {
    const parsed = parse("count(m.a, 1h) and m.b > 3 or not score(m.c)");
    expect(parsed.ok ? [] : parsed.problems.map(({ from }) => from)).toEqual([0, 19, 34]);
  });
});

describe("a hostile expression is refused in bounded time", () => {
  const refusal = (text: string): string | undefined => {
    const parsed = parse(text);
    return parsed.ok ? undefined : parsed.problems[0]?.message;
  };

  test.each([101, 1_000, 30_000])("%d nested parentheses", (depth) => {
    expect(refusal(`${"(".repeat(depth)}m.a${")".repeat(depth)}`)).toMatch(/nested deeper than 100/);
  });

  test("100,000 nested parentheses are too long a text already", () => {
    expect(refusal(`${"(".repeat(1e5)}m.a${")".repeat(1e5)}`)).toMatch(/200003 characters, more than 65536/);
  });

  test("the deepest expression allowed is read, printed and compiled", () => {
    const deep = `${"(not ".repeat(limits.depth - 1)}m.a${")".repeat(limits.depth - 1)}`;
    expect(tree(print(tree(deep)))).toEqual(tree(deep));
    expect(compile({ deep: { when: deep } }).rules).toHaveLength(1);
  });

  test.each([
    ["not ".repeat(10_000), ""],
    ["", " for 1s".repeat(9_000)],
  ])("ten thousand operators without parentheses", (before, behind) => {
    expect(() => compile({ deep: { when: `${before}m.a${behind}` } })).toThrow(/nested deeper than 100/);
  });

  test("five thousand sides of an `or`", () => {
    expect(() => compile({ wide: { when: Array.from({ length: 5_000 }, () => "m.a").join(" or ") } })).toThrow(
      /more than 4096 sub-expressions/,
    );
  });

  test("builders that nest 100,000 deep, share without end or contain themselves", () => {
    let deep: Truth = a;
    for (let i = 0; i < 100_000; i++) deep = not(deep);
    let shared: Truth = a;
    for (let i = 0; i < 60; i++) shared = and(shared, shared);
    const knot: Truth[] = [a, b];
    const cyclic: Truth = { op: "and", of: knot };
    knot.push(not(cyclic));
    expect(() => compile([rule("r").when(deep)])).toThrow(/nested deeper/);
    expect(() => compile([rule("r").when(shared)])).toThrow(/more than 4096/);
    expect(() => compile([rule("r").when(cyclic)])).toThrow(/contains itself/);
  });
});

describe("names", () => {
  const world = { mic: ["glass_breaking", "dog"], thermal: ["person", "hot_pan"], camera: ["person", "cat"] };
  const problem = (when: string) => () => compile({ r: { when } }, world);

  test.each([
    ["thermal.persn", /column 1: rule r, when: thermal has no concept persn/, "Did you mean thermal.person?"],
    ["mic.dog or themal.person", /column 12: .*no sensor is named themal/, "Did you mean thermal.person?"],
    ["mic.person", /mic has no concept person/, "Did you mean thermal.person?"],
    ["any.perso", /any has no concept perso/, "Did you mean any.person?"],
    ["kitchen.smoke", /no sensor is named kitchen/, "Known sensors: mic, thermal, camera."],
    ["mic.smoke", /mic has no concept smoke/, "Known concepts: glass_breaking, dog."],
    ["constructor.person", /no sensor is named constructor/, "Did you mean thermal.person?"],
  ])("%s", (when, message, hint) => {
    expect(problem(when)).toThrow(message);
    expect(problem(when)).toThrow(expect.objectContaining({ code: "RULE_INVALID", hint }));
  });

  test("those that the world knows are accepted, statuses too", () => {
    expect(
      compile({ r: { when: "mic.dog then any.person within 1s", unless: "mic.lost or any.lost" } }, world).rules,
    ).toHaveLength(1);
  });

  test("of a comparison that can never be true", () => {
    expect(problem("count(mic.dog, 1h) > 10000")).toThrow(/never exceeds 10000, it is compared with 10000/);
  });
});

describe("builders", () => {
  test("give the same program as the text", () => {
    const built = rule("break-in")
      .when(then(on("mic", "glass_breaking"), on("thermal", "person"), { within: s(5) }))
      .unless(on("camera", "cat"))
      .cooldown(s(30));
    const written = {
      "break-in": { when: "mic.glass_breaking then thermal.person within 5s", unless: "camera.cat", cooldown: s(30) },
    };
    expect(compile([built])).toEqual(compile(written));
  });

  test("are held to the ids and durations that a file is held to", () => {
    expect(() => compile([rule("No id").when(a)])).toThrow(/"No id" is no rule id: use 1 to 64/);
    expect(() => compile([rule("r").when(a).cooldown(s(-1))])).toThrow(
      /cooldown: the duration -1000000 µs is negative/,
    );
    expect(() => compile([rule("r").when(once(a, s(1e9)))])).toThrow(/longer than 366d/);
    expect(() => compile([rule("r").when(count(a, s(0)).above(1))])).toThrow(/count needs a duration above 0/);
    expect(() => compile({ r: { when: "m.a", cooldown: s(1e9) } })).toThrow(/rule r, cooldown: .*longer than 366d/);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-25])(
    "cannot compare with %d, which the language cannot write",
    (value) => {
      expect(() => compile([rule("r").when(score(a).above(value))])).toThrow(/no number that can be written/);
    },
  );

  test.each([0, -1, 0.1, 1e-7, 123456.789, 1e15])("print %d so that it is read back", (value) => {
    const compared = score(a).above(value);
    expect(compile([rule("r").when(compared)]).rules).toHaveLength(1);
    expect(tree(print(compared))).toEqual(compared);
  });

  test("cannot use an id twice", () => {
    expect(() => compile([rule("r").when(a), rule("r").when(b)])).toThrow(/used twice/);
  });
});
