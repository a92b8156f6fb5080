import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { cHeader } from "../../../src/device/firmware/c-header.js";
import { readSchema, schemaIds } from "../../../src/device/firmware/catalog.js";
import { encodeFrame } from "../../../src/device/firmware/frame.js";
import { goldenFrames } from "../../../src/device/firmware/golden.js";
import type { FirmwareSchema } from "../../../src/device/firmware/schema.js";
import { hasTool } from "../../support/tools.js";

const shipped = new URL("../../../firmware-schemas/sensebind_frames.h", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "c-header-"));
const strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"];
let schemas: FirmwareSchema[];
beforeAll(async () => {
  schemas = await Promise.all((await schemaIds()).map((id) => readSchema(id)));
});

/** A C program that prints the frame of each golden content, and what happens one byte short of it. */
function program(all: readonly FirmwareSchema[]): string {
  const calls = all.flatMap((schema) => {
    const name = `sb_${schema.id.replace(/[-.]/g, "_")}`;
    return goldenFrames(schema, { random: 3 }).map(({ seq, t_us, fields }) => {
      const literal = ({ name: field, type, count }: FirmwareSchema["fields"][number]): string => {
        const values = fields[field]!.map((value) =>
          type === "f32"
            ? `${value.toExponential(9)}f`
            : type === "i32"
              ? `(int32_t)${value}LL`
              : `${value}${type[0] === "u" ? "u" : ""}`,
        );
        return count > 1 ? `{${values.join(",")}}` : values[0]!;
      };
      return `  { static const ${name}_t in = {${schema.fields.map(literal).join(", ")}};
    static uint8_t out[${name.toUpperCase()}_FRAME_MAX];
    size_t n = ${name}_encode(out, sizeof out, &in, ${seq}, ${t_us}u);
    for (size_t i = 0; i < n; i++) printf("%02x", out[i]);
    printf(" %u %u\\n", (unsigned)${name}_encode(out, n, &in, 0, 0), (unsigned)${name}_encode(out, n - 1, &in, ${seq}, ${t_us}u)); }`;
    });
  });
  return `#include "sensebind_frames.h"\n#include <stdio.h>\nint main(void) {\n${calls.join("\n")}\n  return 0;\n}\n`;
}

test("the shipped header is generated from the shipped schemas", () => {
  expect(readFileSync(shipped, "utf8")).toBe(cHeader(schemas));
});

describe.skipIf(!hasTool("gcc"))("with a C compiler", () => {
  test("the encoders compile as C99 without a warning, and write the golden frames; a byte less is refused", () => {
    const source = join(dir, "golden.c");
    writeFileSync(source, program(schemas));
    const binary = join(dir, "golden");
    execFileSync("gcc", ["-std=c99", ...strict, `-I${join(shipped, "..")}`, source, "-o", binary]);
    const lines = execFileSync(binary, { encoding: "utf8", maxBuffer: 1 << 26 })
      .trim()
      .split("\n");
    const expected = schemas.flatMap((schema) => goldenFrames(schema, { random: 3 }));
    expect(lines).toHaveLength(expected.length);
    for (const [i, line] of lines.entries()) {
      const [hex, fits, short] = line.split(" ");
      expect(hex).toBe(expected[i]!.hex);
      expect(Number(fits)).toBeLessThanOrEqual(hex!.length / 2);
      expect(short).toBe("0");
    }
  });

  test.skipIf(!hasTool("g++"))("the header compiles as C++ too", () => {
    const source = join(dir, "header.cpp");
    writeFileSync(source, '#include "sensebind_frames.h"\nint main() { return 0; }\n');
    execFileSync("g++", ["-std=c++11", ...strict, `-I${join(shipped, "..")}`, "-fsyntax-only", source]);
  });

  test("a device answers a ping of this very code, and nothing else", async () => {
    const timesync = await readSchema("timesync.v1");
    const ping = encodeFrame(timesync, { seq: 3, time: 77, fields: { echo: [0x12003400] } });
    const bytes = (frame: Uint8Array): string => `{${[...frame].join(",")}}`;
    const broken = Uint8Array.from(ping);
    broken[6]! ^= 1;
    const source = join(dir, "answer.c");
    writeFileSync(
      source,
      `#include "sensebind_frames.h"
#include <stdio.h>
int main(void) {
  static const uint8_t ping[] = ${bytes(ping)}, broken[] = ${bytes(broken)};
  uint8_t out[SB_TIMESYNC_V1_FRAME_MAX];
  size_t n = sb_timesync_v1_answer(out, sizeof out, ping, sizeof ping - 1, 9, 123456u);
  for (size_t i = 0; i < n; i++) printf("%02x", out[i]);
  printf(" %u %u\\n", (unsigned)sb_timesync_v1_answer(out, sizeof out, broken, sizeof broken - 1, 9, 1u),
         (unsigned)sb_timesync_v1_answer(out, sizeof out, ping, 5, 9, 1u));
  return 0;
}
`,
    );
    execFileSync("gcc", ["-std=c99", ...strict, `-I${join(shipped, "..")}`, source, "-o", join(dir, "answer")]);
    const [hex, forBroken, forShort] = execFileSync(join(dir, "answer"), { encoding: "utf8" }).trim().split(" ");
    const expected = encodeFrame(timesync, { seq: 9, time: 123456, fields: { echo: [0x12003400] } });
    expect([hex, forBroken, forShort]).toEqual([Buffer.from(expected).toString("hex"), "0", "0"]);
  });

  test.skipIf(!hasTool("g++"))("the example sketch compiles against the header", () => {
    const sketch = new URL("../../../examples/firmware/imu.ino", import.meta.url).pathname;
    writeFileSync(
      join(dir, "Wire.h"),
      `#include <stddef.h>
#include <stdint.h>
struct TwoWire { void begin(); void setClock(long); void beginTransmission(int); void write(uint8_t); int endTransmission(bool = true); int requestFrom(int, int); int read(); };
struct Port { void begin(long); int available(); int read(); size_t write(const uint8_t *, size_t); };
extern TwoWire Wire; extern Port Serial; uint32_t micros();
`,
    );
    const flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror", `-I${dir}`, `-I${join(shipped, "..")}`];
    execFileSync("g++", [...flags, "-fsyntax-only", "-x", "c++", sketch]);
  });

  test("a schema of one's own gets its encoder by the same rules", () => {
    const own = { ...schemas[0]!, id: "my-scale.v3", number: 200, version: 3 };
    const header = cHeader([own]);
    expect(header).toContain("} sb_my_scale_v3_t;");
    expect(header).toContain("SB_MY_SCALE_V3_FRAME_MAX");
    const source = join(dir, "own.c");
    writeFileSync(source, header);
    execFileSync("gcc", ["-std=c99", ...strict, "-fsyntax-only", source]);
  });
});
