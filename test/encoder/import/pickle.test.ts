import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pickledDict, pickledTensor } from "../../../models/build/torch-file.js";
import { isSenseError } from "../../../src/core/errors.js";
import { unpickle } from "../../../src/encoder/import/pickle.js";
import { stateDict, torchAllowlist } from "../../../src/encoder/import/torch-objects.js";

const readOrRefuse = (bytes: Uint8Array): void => {
  try {
    stateDict(unpickle(bytes, torchAllowlist).value);
  } catch (error) {
    if (!isSenseError(error)) throw error;
    expect(error.code).toBe("BAD_CHECKPOINT");
  }
};

test("any bytes are a state dict or refused as none", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (tail) =>
    readOrRefuse(Uint8Array.from([0x80, 2, ...tail])),
  );
  fc.assert(property, { numRuns: 3000 });
});

test("any order of instructions that state dicts are made of is read or refused", () => {
  const parts = [..."}](0N)tuesRQb.aq"].map((char) => [char.charCodeAt(0)]);
  const longer = [
    "ccollections\nOrderedDict\n",
    "ctorch\nFloatStorage\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "X\x01\0\0\0a",
    "K\x05",
    "h\x00",
  ];
  const piece = fc.constantFrom(...parts, ...longer.map((text) => [...text].map((char) => char.charCodeAt(0))));
  const property = fc.property(fc.array(piece, { maxLength: 40 }), (pieces) =>
    readOrRefuse(Uint8Array.from([0x80, 2, ...pieces.flat(), 0x2e])),
  );
  fc.assert(property, { numRuns: 5000 });
});

test("a state dict with changed bytes is read or refused", () => {
  const bytes = pickledDict([
    ["a.weight", pickledTensor("0", [3, 4], 12)],
    ["a.bias", pickledTensor("1", [3], 3)],
  ]);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  const property = fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
    const changed = bytes.slice();
    for (const [at, value] of changes) changed[at] = value;
    readOrRefuse(changed);
  });
  fc.assert(property, { numRuns: 3000 });
});
