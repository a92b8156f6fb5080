import { expect, test } from "vitest";
import { jsonLines, sensebind } from "./spawn.js";

const recording = "examples/demo/demo.mcap";
const config = "examples/demo/demo.yaml";

test("a recording is explained concept by concept: how often it fired, and how near it came", async () => {
  const { code, stdout } = await sensebind("explain", recording, "--config", config, "--json");
  expect(code).toBe(0);
  const attempts = jsonLines(stdout) as { sensor: string; concept: string; events: number; nearest: object }[];
  expect(attempts.map(({ sensor, concept }) => `${sensor}.${concept}`)).toEqual([
    ...["belt.fall", "belt.walking", "camera.cat", "camera.coffee", "mic.smoke_alarm", "mic.speech"],
  ]);
  for (const { events, nearest } of attempts) {
    expect(events).toBeGreaterThan(0);
    expect(nearest).toMatchObject({ score: expect.any(Number), distance: expect.any(Number) });
  }
});

test("one concept of one sensor can be asked for, in words; a name that is not there is refused with what was meant", async () => {
  const one = await sensebind("explain", recording, "--config", config, "--sensor", "belt", "--concept", "fall");
  expect(one.stdout).toMatch(
    /^belt\.fall +fired 1 time in 23 windows\n {2}clearest at .*\n {2}its margin of .* above the 0\.000 needed\n$/,
  );
  const wrong = await sensebind("explain", recording, "--config", config, "--concept", "fal");
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    'BAD_ARGUMENT: no concept is called "fal"\nhint: Did you mean "fall"?\n',
  ]);
});
