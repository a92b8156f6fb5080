/** Every code an error of SenseBind can carry, with what it means. docs/errors.md is generated from this table. */
export const errorTable = {
  BAD_ARGUMENT: "A command or function was given a value it cannot use.",
  BAD_AUDIO: "An audio file or block could not be decoded or is too short to use.",
  BAD_BUNDLE: "A bundle's manifest or one of its files is missing, damaged or does not match its hash.",
  BAD_CHECKPOINT: "A checkpoint is damaged, hostile, or lacks a tensor; the message names the tensor.",
  BAD_COMMAND: "A command's payload does not have the form that the contract gives it; nothing was changed.",
  BAD_CONFIG: "The configuration file does not have the form it should have.",
  BAD_DURATION: "A text is not a duration such as 500ms, 2s, 5m or 1h.",
  BAD_IMAGE: "An image could not be decoded.",
  BAD_MESSAGE: "An MQTT payload does not have the form that the contract gives it.",
  BAD_MODEL: "An ONNX file or graph is malformed, or holds something that is not supported.",
  BAD_PAIRS:
    "What a sensor and a camera gave cannot teach anything: NaN, nothing that varies, a covered lens, too few pairs.",
  BAD_RECORDING: "A recording is not an MCAP file of SenseBind, or nothing in it could be read.",
  BAD_STORE: "A store of embeddings is damaged, or the folder is none.",
  BAD_TENSOR: "A .npy file or tensor has a form that the reader cannot use.",
  BAD_TRACE: "A line of a trace of events is not an event.",
  BROKER_UNREACHABLE: "The MQTT broker could not be reached or refused the connection.",
  CLOCKS_APART: "The clocks of a sensor and a camera are further apart than what happens at one time may be.",
  COMMAND_BUSY: "A node has as many commands under way as it takes at once; nothing was changed.",
  COMMAND_FAILED: "A command failed on the node for a reason that is in the node's log.",
  COMMAND_TIMEOUT: "A command was not done, or not answered, within its time.",
  COMMAND_UNKNOWN: "The node does not know that command, or does not offer it.",
  DEVICE_ABSENT: "A device is not plugged in, or what stands for it does not exist.",
  DEVICE_FAILED: "A device stopped with an error.",
  DEVICE_UNKNOWN: "No adapter of that name exists.",
  DOWNLOAD_FAILED: "A download broke off, was too long or too short, or has the wrong hash.",
  EXPORT_FAILED: "A vector database could not be reached, or refused what it was sent.",
  FILE_UNREADABLE: "A file is missing or cannot be read.",
  FILE_UNWRITABLE: "A file cannot be created or written, or the disk is full.",
  INTERNAL: "A defect of SenseBind itself.",
  LICENCE_NOT_ACCEPTED: "A bundle's licence has conditions that must be accepted first.",
  MODALITY_UNSUPPORTED: "The bundle has no encoder for that modality.",
  MODEL_MISMATCH: "A tensor does not have the shape or type that the encoder expects.",
  NOT_BETTER:
    "What a calibration learned is no better than guessing or than what the sensor had; nothing was installed.",
  OUTBOX_IN_USE: "Another process uses the folder in which messages wait for the broker.",
  RULE_INVALID: "A rule has an error; the message says where.",
  RUNTIME_BUSY: "More runs were asked of a model than its queue holds.",
  RUNTIME_FAILED: "The inference runtime could not load or run a model.",
  SPACE_MISMATCH: "Two vectors of different embedding spaces were about to be compared.",
  TOOL_MISSING: "A program that an adapter needs is not installed.",
  TOO_LITTLE_VARIETY: "The camera has not seen enough different scenes to bind a sensor to it.",
  WINDOW_GAP: "A window has too many missing samples to be used.",
} as const;

export type ErrorCode = keyof typeof errorTable;

export interface SenseErrorOptions {
  /** What the user can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one error class: a code from the table, a sentence with the values, and a hint that says what to do. */
export class SenseError extends Error {
  override readonly name = "SenseError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, { hint, cause }: SenseErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** True for an error of SenseBind, of the given code if one is given. */
export function isSenseError(error: unknown, code?: ErrorCode): error is SenseError {
  return error instanceof SenseError && (code === undefined || error.code === code);
}
