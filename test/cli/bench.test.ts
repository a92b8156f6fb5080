import { expect, test } from "vitest";
import { bundleFixture } from "../encoder/bundle-fixture.js";
import { sensebind } from "./spawn.js";

test("bench measures every stage of the flow and each tower of the bundle", async () => {
  const { code, stdout } = await sensebind("bench", "--bundle", await bundleFixture(), "--json");
  expect(code).toBe(0);
  const { bundle, figures } = JSON.parse(stdout) as {
    bundle: string;
    figures: { stage: string; what: string; value: number; unit: string }[];
  };
  expect(bundle).toBe("fixture");
  expect(new Set(figures.map(({ stage }) => stage))).toEqual(
    new Set(["device", "window", "encoder", "space", "publish", "rules"]),
  );
  for (const modality of ["vision", "thermal", "imu", "audio"]) {
    expect(figures.filter(({ what }) => what.startsWith(`${modality} window encoded`))).toHaveLength(1);
  }
  for (const { value } of figures) expect(value).toBeGreaterThan(0);
});
