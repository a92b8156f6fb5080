import { SenseError } from "../../core/errors.js";
import { dataTypes } from "../../onnx/types.js";
import type { BytesFile } from "./bytes-file.js";
import type { StoredTensor } from "./checkpoint.js";
import { unpickle } from "./pickle.js";
import { checkExtent, stateDict, torchAllowlist } from "./torch-objects.js";
import { type ZipEntry, zipEntries } from "./zip.js";

/** A state dict's pickle has about 150 bytes a tensor; more than this is no state dict. */
const longestPickle = 64 * 2 ** 20;

/** The tensors of a file that torch.save wrote since version 1.6: a zip archive with data.pkl and one entry a storage. */
export async function readTorchZip(file: BytesFile): Promise<ReadonlyMap<string, StoredTensor>> {
  const entries = await zipEntries(file);
  const pickles = [...entries.values()].filter(({ name }) => name === "data.pkl" || name.endsWith("/data.pkl"));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new SenseError(
      "BAD_CHECKPOINT",
      `${file.path} is a zip archive with ${pickles.length} files data.pkl, not one`,
      { hint: "Give the file that torch.save wrote, not an archive of files." },
    );
  }
  if (pickle.length > longestPickle) {
    throw new SenseError("BAD_CHECKPOINT", `${pickle.name} has ${pickle.length} bytes, more than a state dict needs`, {
      hint: "Save the model's state_dict() and nothing else.",
    });
  }
  const root = pickle.name.slice(0, -"data.pkl".length);
  await checkByteOrder(file, entries.get(`${root}byteorder`));
  const { value } = unpickle(await file.read(pickle.offset, pickle.length), torchAllowlist);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of stateDict(value)) {
    const { type, key } = tensor.storage;
    const entry = entries.get(`${root}data/${key}`);
    if (entry === undefined) {
      throw new SenseError("BAD_CHECKPOINT", `the storage ${key} of ${name} is not in the file`, {
        hint: "The file is damaged or was not downloaded completely.",
      });
    }
    const { bytes } = dataTypes[type];
    checkExtent(name, tensor, Math.floor(entry.length / bytes));
    const { dims, strides } = tensor;
    tensors.set(name, { type, dims, strides, byteOffset: entry.offset + tensor.offset * bytes });
  }
  return tensors;
}

async function checkByteOrder(file: BytesFile, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const order = new TextDecoder().decode(await file.read(entry.offset, Math.min(entry.length, 16)));
  if (order !== "little") {
    throw new SenseError("BAD_CHECKPOINT", `${file.path} has byte order ${JSON.stringify(order)}`, {
      hint: "Load it with PyTorch there and save it as .safetensors, which has one byte order.",
    });
  }
}
