import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import type { DecodeOptions } from "./bytes.js";
import type { Sound } from "./sound.js";
import { codecs, type WavCodec } from "./wav-codecs.js";

interface Format {
  readonly codec: WavCodec;
  readonly channels: number;
  readonly rate: number;
}

/** WAVE_FORMAT_EXTENSIBLE: the codec is in the first two bytes of the GUID (Microsoft, mmreg.h). */
const extensible = 0xfffe;
const highestRate = 1_000_000;

/**
 * Decodes a RIFF WAVE file: PCM of 8 to 32 bits, float, A-law and µ-law, all channels, scaled as PARITY A4.1. A data chunk that
 * claims more than the file holds, or nothing at all, as recorders write that were killed, gives what is there.
 * Throws `BAD_AUDIO`.
 */
export function decodeWav(bytes: Uint8Array, { source = "the sound" }: DecodeOptions = {}): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bad = (what: string) =>
    new SenseError("BAD_AUDIO", `${source} ${what}`, {
      hint: "Convert it: ffmpeg -i in.wav -c:a pcm_s16le out.wav",
    });
  let format: Format | undefined;
  for (const { id, at, size } of chunks(view)) {
    if (id === "fmt ") format = parseFormat(view, at, size, bad);
    if (id !== "data") continue;
    if (!format) throw bad("has its samples before their format");
    return decodeSamples(view, { at, size }, format, bad);
  }
  throw bad(format ? "has no samples" : "is not a WAV file: it has no format chunk");
}

const pcm16 = codecs.get("1/16");

/** The commonest codec in a loop of its own, without a call a sample. */
function readPcm16(view: DataView, at: number, out: Float32Array): void {
  const start = view.byteOffset + at;
  const words = new Int16Array(view.buffer.slice(start, start + 2 * out.length));
  for (let i = 0; i < out.length; i++) out[i] = words[i]! / 32768;
}

type Fail = (what: string) => SenseError;

/** The chunks of the file, cut to what it holds; an unfinished data chunk reaches to the end. */
function* chunks(view: DataView): Generator<{ id: string; at: number; size: number }> {
  let at = 12;
  while (at + 8 <= view.byteLength) {
    const id = String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
    const claimed = view.getUint32(at + 4, true);
    const left = view.byteLength - at - 8;
    const unfinished = claimed > left || (id === "data" && claimed === 0);
    yield { id, at: at + 8, size: unfinished ? left : claimed };
    at += 8 + (unfinished ? left : claimed + (claimed & 1));
  }
}

function parseFormat(view: DataView, at: number, size: number, bad: Fail): Format {
  if (size < 16) throw bad(`has a format chunk of ${size} bytes instead of 16`);
  const tag = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const align = view.getUint16(at + 12, true);
  const kind = tag === extensible && size >= 40 ? view.getUint16(at + 24, true) : tag;
  const bits = channels > 0 ? (align * 8) / channels : 0;
  const codec = codecs.get(`${kind}/${bits}`);
  if (channels === 0 || rate === 0 || rate > highestRate) throw bad(`claims ${channels} channels at ${rate} Hz`);
  if (!codec) throw bad(`has WAV format ${kind} with ${bits} bits a sample, which is not supported`);
  return { codec, channels, rate };
}

function decodeSamples(view: DataView, chunk: { at: number; size: number }, format: Format, bad: Fail): Sound {
  const { codec, channels, rate } = format;
  const frames = Math.floor(chunk.size / (codec.bytes * channels));
  if (frames === 0) throw bad("has no samples");
  const data = new Float32Array(frames * channels);
  if (codec === pcm16) readPcm16(view, chunk.at, data);
  else for (let i = 0, at = chunk.at; i < data.length; i++, at += codec.bytes) data[i] = codec.read(view, at);
  const broken = codec.finite ? -1 : data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) throw bad(`has a sample that is not a number, at ${Math.floor(broken / channels)}`);
  return { rate: hz(rate), channels, data };
}
