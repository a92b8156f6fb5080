import { expect, test } from "vitest";
import { Trainings } from "../../src/core/training.js";

const problems = (given: unknown): string => {
  const parsed = Trainings.safeParse(given);
  if (parsed.success) return "";
  return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
};

test("a training says what is learned, alone or together, and gets the lengths that do not hang on the input", () => {
  const given = {
    thermal: { lora: { rank: 4 }, head: {}, encoder: { kind: "convolution" } },
    other: { encoder: { kind: "series", width: 96, heads: 6 }, lr: 0.002, loss: "sigmoid", queue: 0 },
    depth: { encoder: { kind: "edges" } },
    vision: { encoder: { kind: "video", patch: [2, 16, 16] } },
  };
  expect(Trainings.parse(given)).toEqual({
    thermal: { lora: { rank: 4 }, head: {}, encoder: { kind: "convolution", stages: [32, 64, 128] } },
    other: {
      encoder: { kind: "series", width: 96, depth: 2, heads: 6, biasKv: false },
      ...{ lr: 0.002, loss: "sigmoid", queue: 0 },
    },
    depth: { encoder: { kind: "edges", cells: [14, 7, 4] } },
    vision: { encoder: { kind: "video", width: 64, depth: 2, heads: 4, biasKv: false, patch: [2, 16, 16] } },
  });
});

test.each<[unknown, string]>([
  [{ encoder: { kind: "series", width: 65 } }, "thermal.encoder.width: 65 cannot be shared by 4 heads; take 64 or 68"],
  [{ encoder: { kind: "series", width: 2 } }, "thermal.encoder.width: 2 cannot be shared by 4 heads; take 4 or 8"],
  [{ encoder: { kind: "cnn" } }, "thermal.encoder.kind: kind is one of series, patches, video, convolution and edges"],
  [{ encoder: { kind: "edges", width: 3 } }, 'thermal.encoder: Unrecognized key: "width"'],
  [{ encoder: { kind: "patches", depth: 0 } }, "thermal.encoder.depth: 0 is no whole number from 1 to 48"],
  [{ encoder: { kind: "patches", patch: 8 } }, "thermal.encoder.patch: 8 is not of the form [rows, columns]"],
  [{ encoder: { kind: "video", patch: [16, 16] } }, "[16,16] is not of the form [frames, rows, columns]"],
  [{ encoder: { kind: "convolution", stages: [8, 12], groups: 8 } }, "8 groups cannot share a stage of 12 channels"],
  [{ lora: { rank: 0 } }, "thermal.lora.rank: 0 is no whole number from 1 to 256"],
  [{ lora: { rank: 2.5 } }, "thermal.lora.rank: 2.5 is no whole number"],
  [{ lora: { matrices: ["attn"] } }, 'thermal.lora.matrices: give "all", or a list of "attention" and "mlp"'],
  [{ head: {}, lr: -1 }, "thermal.lr: "],
  [{ steps: 10 }, "thermal: nothing is to be trained: give head, lora, encoder, camera, or several of them"],
  [{ camera: {}, lora: {} }, "thermal: the camera's encoder stays as it is: camera goes with head only, or alone"],
])("%j is refused with the value and what fits", (training, message) => {
  expect(problems({ thermal: training })).toContain(message);
});

test("a modality that there is not is refused", () => {
  expect(problems({ heat: { head: {} } })).toContain('Unrecognized key: "heat"');
});
