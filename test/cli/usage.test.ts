import { expect, test } from "vitest";
import { sensebind } from "./spawn.js";

test("an unknown command is one line of code and sentence, one of hint, and exit code 2", async () => {
  const { code, stdout, stderr } = await sensebind("embedd");
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^BAD_ARGUMENT: unknown command 'embedd'\nhint: .+\n$/);
});

test("an unknown option fails in the same form", async () => {
  const { code, stderr } = await sensebind("embed", "vision", "x.png", "--colour");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^BAD_ARGUMENT: unknown option '--colour'\nhint: .+\n$/);
});

test("with --json a failure is one document on stdout as well", async () => {
  const { code, stdout } = await sensebind("embed", "--json");
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    error: { code: "BAD_ARGUMENT", message: expect.any(String), hint: expect.any(String) },
  });
});

test("a stack trace is printed with --verbose only", async () => {
  expect((await sensebind("embed")).stderr).not.toMatch(/^\s+at /m);
  expect((await sensebind("embed", "--verbose")).stderr).toMatch(/^\s+at /m);
});

test("help is no failure and names every command once", async () => {
  const { code, stdout } = await sensebind("--help");
  expect(code).toBe(0);
  for (const command of ["embed", "classify", "eval", "models", "preprocess", "schema"]) {
    expect(stdout.match(new RegExp(`^  ${command} `, "gm"))).toHaveLength(1);
  }
});
