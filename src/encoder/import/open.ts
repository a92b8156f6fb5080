import { SenseError } from "../../core/errors.js";
import { BytesFile } from "./bytes-file.js";
import { Checkpoint, type CheckpointFormat, type StoredTensor } from "./checkpoint.js";
import { readSafetensors } from "./safetensors.js";
import { readTorchLegacy } from "./torch-legacy.js";
import { readTorchZip } from "./torch-zip.js";

const readers: Readonly<Record<CheckpointFormat, (file: BytesFile) => Promise<ReadonlyMap<string, StoredTensor>>>> = {
  torch: readTorchZip,
  "torch-legacy": readTorchLegacy,
  safetensors: readSafetensors,
};

/** Tells the format from the first bytes: a zip's signature, a pickle's PROTO, or the "{" of a safetensors header. */
async function detect(file: BytesFile): Promise<CheckpointFormat> {
  const head = await file.read(0, Math.min(16, file.size));
  if (head[0] === 0x50 && head[1] === 0x4b) return "torch";
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return "torch-legacy";
  if (head[8] === 0x7b) return "safetensors";
  throw new SenseError("BAD_CHECKPOINT", `${file.path} is neither a torch file nor a safetensors file`, {
    hint: "give a .pth, .pt, .bin or .safetensors file with a state dict",
  });
}

/**
 * Opens a checkpoint of any format that is read here; shapes are checked, no number is read yet and nothing in the file is
 * ever executed. Throws `BAD_CHECKPOINT` with the tensor's name for damaged and hostile files.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const file = await BytesFile.open(path);
  try {
    const format = await detect(file);
    return new Checkpoint(format, file, await readers[format](file));
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}
