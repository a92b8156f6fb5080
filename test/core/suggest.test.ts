import { expect, test } from "vitest";
import { nearest } from "../../src/core/suggest.js";

const keys = ["sensors", "concepts", "broker", "bundle", "node"];

test.each([
  ["sensor", "sensors"],
  ["conecpts", "concepts"],
  ["Bundle", "bundle"],
  ["borker", "broker"],
])("%s was probably meant to be %s", (word, meant) => {
  expect(nearest(word, keys)).toBe(meant);
});

test("a word like none of them gets no suggestion, however long it is", () => {
  expect(nearest("temperature", keys)).toBeUndefined();
  expect(nearest("x".repeat(1_000_000), keys)).toBeUndefined();
});
