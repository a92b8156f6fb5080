import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import { cardMarkdown } from "../../../src/align/report/card.js";
import { chart } from "../../../src/align/report/chart.js";
import type { CalibrationFacts } from "../../../src/align/report/facts.js";
import { instant, lasting, percent } from "../../../src/align/report/figures.js";
import { html } from "../../../src/align/report/html.js";
import { reportHtml } from "../../../src/align/report/page.js";
import { micros } from "../../../src/core/time.js";
import { sample } from "./sample.js";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => spawnSync(path, ["--version"]).status === 0,
);

/** Facts in which every text is hostile. */
const hostile = (text: string): CalibrationFacts => ({
  ...sample,
  sensor: text,
  camera: text,
  trained: text,
  bundle: { id: text, base: text, space: text },
  pairs: { ...sample.pairs, left: [text] },
  worst: [{ time: micros(0), rank: 2, cosine: 0, camera: text, sensor: text }],
  answers: [{ concept: text, words: [text], camera: 1, sensor: 1, both: 1 }],
  verdict: { installed: false, reason: text },
});

const least: CalibrationFacts = {
  ...sample,
  pairs: { train: 9, heldOut: 9, scenes: 9 },
  span: undefined,
  recall: { before: undefined, after: sample.recall.after, chance: sample.recall.chance },
  looks: [],
  best: 0,
  similarity: [],
  worst: [],
  answers: [],
};

describe("the report", () => {
  test("is one page that fetches nothing and runs nothing", () => {
    const page = reportHtml(sample);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|<link|<img|<iframe|url\(|@import|\ssrc=|\shref=|\son\w+=/i);
    expect(page.length).toBeLessThan(300_000);
  });

  test("names the figures that count: recall before and after, chance, pairs, span, verdict, words", () => {
    const page = reportHtml(sample);
    for (const text of [
      "41.3 %",
      "1 % before",
      "chance 1 %",
      "412 + 104",
      "in 19 min 40 s",
      "Installed",
      "a gas leak",
      "90 %",
      "step 36",
      "12 windows held NaN",
      "nano-1/5d41402abc4b2a76",
    ])
      expect(page).toContain(text);
  });

  test("no text of a user becomes markup, whatever it holds", () => {
    const shape = (page: string): string =>
      page
        .replace(/>[^<]*</g, "><")
        .replace(/="[^"]*"/g, "")
        .replace(/<(style|title)>.*/g, "");
    const calm = shape(reportHtml(hostile("x")));
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "&", "b", "/", "=", " ", "\n") }), (text) => {
        expect(shape(reportHtml(hostile(text)))).toBe(calm);
      }),
    );
    expect(html`<a title="${`"><script>`}">${["<b>", html`<i>`]}</a>`.text).toBe(
      '<a title="&quot;&gt;&lt;script&gt;">&lt;b&gt;<i></a>',
    );
  });

  test("says what is lacking where there was no encoder, no step, no word and nothing held out", () => {
    const page = reportHtml(least);
    for (const text of ["no encoder before", "Nothing was trained.", "No words are configured", "without times"])
      expect(page).toContain(text);
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  test("stays finite where the loss was not, and where all cosines are the same", () => {
    const page = reportHtml({
      ...sample,
      pairs: { ...sample.pairs, left: [] },
      looks: [{ step: 1, loss: 0, recall: { at1: 0, at5: 0 } }],
      best: 1,
      similarity: [Float32Array.of(0.5, 0.5), Float32Array.of(0.5, 0.5)],
    });
    expect(page).not.toMatch(/NaN|Infinity/);
  });

  test.skipIf(browser === undefined)(
    `a browser draws it without a complaint or a request, as wide as its window${browser ? "" : " (SKIPPED: chromium is not installed)"}`,
    async () => {
      const chrome = await chromium.launch({ executablePath: browser!, args: ["--no-sandbox"] });
      try {
        const page = await chrome.newPage({ viewport: { width: 420, height: 800 } });
        const complaints: string[] = [];
        page.on("console", (message) => complaints.push(message.text()));
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("request", (request) => complaints.push(request.url()));
        await page.setContent(reportHtml(hostile("<script>document.title='ran'</script>")));
        expect(await page.locator("svg").count()).toBe(3);
        expect(await page.locator(".map rect").count()).toBe(48 * 48);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(420);
        expect(await page.title()).toContain("bound to");
        expect(complaints).toEqual([]);
      } finally {
        await chrome.close();
      }
    },
  );
});

describe("the card", () => {
  test("tells the same figures in Markdown", () => {
    const card = cardMarkdown(sample);
    expect(card).toContain("# nano+gas0\n");
    expect(card).toContain("| gas0 to cam0 | 41.3 % | 78.8 % |");
    expect(card).toContain("| before | 1 % | 6 % |");
    expect(card).toContain("| gas\\_leak | a gas leak | 20 | 19 | 18 |");
    expect(card).toContain("2026-01-01 08:00:00 UTC to 2026-01-01 08:19:40 UTC");
  });

  test("no text of a user becomes a cell, a tag or a line of its own", () => {
    const lines = (text: string): number => cardMarkdown(hostile(text)).split("\n").length;
    expect(lines("a|b\n\n# c <script>")).toBe(lines("x"));
    expect(cardMarkdown(hostile("a|b <i>"))).toContain("| a\\|b \\<i\\> |");
  });

  test("leaves out what there was not", () => {
    expect(cardMarkdown(least)).not.toMatch(/\| before|By words|undefined/);
  });
});

test("figures for a reader", () => {
  expect([percent(0.8333), percent(1), percent(0)]).toEqual(["83.3 %", "100 %", "0 %"]);
  expect([lasting(0.4), lasting(61), lasting(3600), lasting(1200)]).toEqual(["0.4 s", "1 min 1 s", "1 h", "20 min"]);
  expect(instant(micros(0))).toBe("1970-01-01 00:00:00 UTC");
  expect(instant(micros(9e15))).toMatch(/UTC|µs/);
});

test("a loss that falls below 0 stays within the rules of its chart", () => {
  const points = [
    [8, 3.4],
    [16, -1.2],
    [24, -4.4],
  ] as const;
  const { text } = chart({ title: "Loss", lines: [{ name: "loss", tone: "one", points }], unit: String, mark: 24 });
  const rules = [...text.matchAll(/class="grid"[^>]* y1="([\d.-]+)"/g)].map(([, y]) => Number(y));
  const drawn = [...text.matchAll(/points="([^"]+)"/g)][0]![1]!.split(" ").map((point) => Number(point.split(",")[1]));
  expect(Math.max(...drawn)).toBeLessThanOrEqual(Math.max(...rules));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(Math.min(...rules));
  expect(rules.length).toBeGreaterThan(3);
});
