import { describe, expect, test } from "vitest";
import { parsePairTable, rowTimes } from "../../../src/align/pairs/table.js";

const thermal = { sensor: "thermal", path: "pairs.csv" } as const;

describe("pairs.csv", () => {
  test("columns are found by modality, by `sensor`, and by `camera` or `text`; others are left alone", () => {
    const cases = [
      ["vision,thermal\na.jpg,b.png\n", "vision"],
      ["camera,thermal,width\na.jpg,b.png,3\n", "vision"],
      ["\uFEFFsensor,camera\r\nb.png,a.jpg\r\n", "vision"],
      ['text,thermal\n"a.jpg",b.png\n', "text"],
    ] as const;
    for (const [text, anchors] of cases) {
      const table = parsePairTable(text, thermal);
      expect(table.anchors).toBe(anchors);
      expect(table.rows).toEqual([{ line: 2, sensor: "b.png", anchor: "a.jpg", time: undefined, block: undefined }]);
    }
  });

  test("words keep their commas, time is in seconds, blocks are names", () => {
    const { rows } = parsePairTable('imu,text,time,block\na.npy,"she falls, then rises",12.5,3\n', { sensor: "imu" });
    expect(rows).toEqual([{ line: 2, sensor: "a.npy", anchor: "she falls, then rises", time: 12_500_000, block: "3" }]);
  });

  test.each([
    ["", "pairs.csv has no pairs"],
    ["thermal,vision\n", "pairs.csv has no pairs"],
    ["left,right\na,b\n", "pairs.csv has no column thermal or sensor: its header is left,right"],
    ["thermal,right\na,b\n", "pairs.csv has no column vision or camera or text: its header is thermal,right"],
    ["thermal,vision\na.png,b.jpg\n\nc.png,\n", "pairs.csv, line 4: vision is empty"],
    ["thermal,vision,time\na.png,b.jpg,1\nc.png,d.jpg,noon\n", 'pairs.csv, line 3: time is "noon"'],
    ["thermal,vision\na.png,b.jpg\nc.png\n", "line 3"],
    ['thermal,vision\na.png,"b.jpg\n', "pairs.csv is not a CSV"],
  ])("%j: %s", (text, message) => {
    expect(() => parsePairTable(text, thermal)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining(message) }),
    );
  });

  test("rows without a time follow one another by a second, blocks by two minutes", () => {
    const { rows } = parsePairTable("thermal,vision,block\na,b,0\nc,d,0\ne,f,2\n", thermal);
    expect(rowTimes(rows)).toEqual([0, 1_000_000, 121_000_000]);
    expect(rowTimes(parsePairTable("thermal,vision,time\na,b,7\n", thermal).rows)).toEqual([7_000_000]);
  });

  test("nothing is bound to itself", () => {
    expect(() => parsePairTable("vision,text\na,b\n", { sensor: "vision" })).toThrow("cannot be bound to itself");
  });
});
