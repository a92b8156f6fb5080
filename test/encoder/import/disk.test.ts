import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needSpace } from "../../../src/encoder/import/free-space.js";
import { ExternalFile } from "../../../src/onnx/external.js";

test("a disk that fills up while weights are written ends the import with what to do", async () => {
  await using file = await ExternalFile.create("/dev/full");
  await expect(file.append(new Uint8Array(100))).rejects.toMatchObject({
    code: "FILE_UNWRITABLE",
    message: /the disk is full/,
    hint: /run the command again/,
  });
});

test("a model that does not fit on the disk is refused before anything is written", async () => {
  const path = join(tmpdir(), "not", "there", "yet");
  await needSpace(path, 1);
  await expect(needSpace(path, 2 ** 52)).rejects.toMatchObject({ code: "FILE_UNWRITABLE", message: /MB are free/ });
});
