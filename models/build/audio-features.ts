import { tensor } from "../../src/core/tensor.js";
import { constantOf } from "../../src/onnx/constant.js";
import { loadModel, weightBytes } from "../../src/onnx/file.js";
import type { Graph } from "../../src/onnx/graph.js";
import { arrayOf } from "../../src/onnx/types.js";
import type { Value } from "../../src/onnx/value.js";
import { graft } from "./graft.js";
import { pooling } from "./pooling.js";

/** Samples of the window: 2 s at 16 kHz, 197 frames of 10 ms. */
export const samples = 32000;

const frame = 400;
const fft = 512;
const bins = fft / 2 + 1;
const bands = 64;
/** A window is scaled to half of full scale, but never louder than as if its peak were -50 dB: silence stays silent. */
const floor = 0.003;

/** Power spectrum `[batch, bins, frames]` of a waveform `[batch, samples]` in 16-bit units, Hann window of 25 ms every 10 ms. */
function spectrum(g: Graph, waveform: Value): Value {
  const peak = g.op("ReduceMax", [g.op("Abs", [waveform])], { axes: [1], keepdims: 1 });
  const gain = g.op("Div", [g.floats(0.5 * 32767), g.op("Max", [peak, g.floats(floor)])]);
  const scaled = g.op("Mul", [waveform, gain]);
  // The original centres the window in 512 samples; only the frames' positions show it.
  const margin = (fft - frame) / 2;
  const cropped = g.op("Slice", [scaled, g.ints([margin]), g.ints([-margin]), g.ints([1])]);
  const signal = g.op("Unsqueeze", [cropped, g.ints([1])]);
  const power = [g.op("Cos", [angles(g)]), g.op("Sin", [angles(g)])].map((basis) => {
    const hann = Float32Array.from({ length: frame }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / frame));
    const kernel = g.op("Unsqueeze", [g.op("Mul", [basis, g.weight("hann", tensor([frame], hann))]), g.ints([1])]);
    const part = g.op("Conv", [signal, kernel], { strides: [160], kernel_shape: [frame] });
    return g.op("Mul", [part, part]);
  });
  return g.op("Add", power);
}

/** `2 pi k n / 512`, made in the graph from two index vectors so that the file does not carry a megabyte of cosines. */
function angles(g: Graph): Value {
  const k = g.weight(
    "k",
    tensor(
      [bins, 1],
      Float32Array.from({ length: bins }, (_, i) => i),
    ),
  );
  const n = g.weight(
    "n",
    tensor(
      [1, frame],
      Float32Array.from({ length: frame }, (_, i) => i),
    ),
  );
  const turns = g.op("Mod", [g.op("MatMul", [k, n]), g.floats(fft)], { fmod: 1 });
  return g.op("Mul", [turns, g.floats((2 * Math.PI) / fft)]);
}

/** Triangles of 64 mel bands from 60 to 7800 Hz, `[bins, bands]`. */
function melBank(): Float32Array {
  const mel = (hz: number): number => 1127 * Math.log1p(hz / 700);
  const step = (mel(7800) - mel(60)) / (bands + 1);
  const bank = new Float32Array(bins * bands);
  for (let bin = 0; bin < bins; bin++)
    for (let band = 0; band < bands; band++) {
      const distance = Math.abs(mel((bin * 16000) / fft) - (mel(60) + (band + 1) * step));
      bank[bin * bands + band] = Math.max(0, 1 - distance / step);
    }
  return bank;
}

/** Google's speech embedding: `[batch, 96, 16]`, one vector of 96 every 80 ms, each seeing 775 ms. */
async function speechEmbedding(g: Graph, power: Value, sources: string): Promise<Value> {
  const mel = await loadModel(`${sources}/melspectrogram.onnx`);
  const bank = constantOf(mel.find("1.melW"))!;
  const bytes = await weightBytes(bank);
  const triangles = g.weight("speech_mel", tensor(bank.dims, arrayOf("float32", bytes) as Float32Array));
  const energy = g.op("MatMul", [g.op("Transpose", [power], { perm: [0, 2, 1] }), triangles]);
  const decibels = g.op("Mul", [g.op("Log", [g.op("Max", [energy, g.floats(1e-10)])]), g.floats(10 / Math.LN10)]);
  const loudest = g.op("ReduceMax", [decibels], { axes: [1, 2], keepdims: 1 });
  const clipped = g.op("Max", [decibels, g.op("Sub", [loudest, g.floats(80)])]);
  // openWakeWord feeds the network decibels / 10 + 2.
  const fed = g.op("Add", [g.op("Mul", [clipped, g.floats(0.1)]), g.floats(2)]);
  const network = await loadModel(`${sources}/embedding_model.onnx`);
  // Its two Reshapes fix the length to 76 frames; without them the convolutions run over any length.
  const [entry, exit] = [network.nodes[0]!, network.nodes.at(-1)!];
  const out = graft(g, network, new Map([[entry.outputs[0]!, g.op("Unsqueeze", [fed, g.ints([1])])]]), exit.inputs[0]!);
  return g.op("Squeeze", [out, g.ints([3])]);
}

/** `[batch, features]` of a waveform `[batch, samples]`: statistics of the speech embedding and of a log-mel spectrogram up to 8 kHz. */
export async function audioFeatures(g: Graph, waveform: Value, sources: string): Promise<Value> {
  const power = spectrum(g, waveform);
  const speech = await speechEmbedding(g, power, sources);
  const over = pooling(g, 2);
  const parts = [over.mean(speech), over.deviation(speech), over.max(speech), over.min(speech)];

  const bank = g.weight("mel", tensor([bins, bands], melBank()));
  const unscaled = g.op("Mul", [power, g.floats(1 / 32767 ** 2)]);
  const energy = g.op("MatMul", [g.op("Transpose", [unscaled], { perm: [0, 2, 1] }), bank]);
  const log = g.op("Log", [g.op("Add", [energy, g.floats(1e-6)])]);
  const loudest = g.op("ReduceMax", [log], { axes: [1, 2], keepdims: 1 });
  const level = g.op("Max", [log, g.op("Sub", [loudest, g.floats(12)])]);
  const average = g.op("ReduceMean", [level], { axes: [1, 2], keepdims: 1 });
  const shape = g.op("Sub", [level, average]);
  const time = pooling(g, 1);
  parts.push(time.mean(shape), time.deviation(shape), time.max(shape), time.min(shape));
  for (const lag of [2, 8, 32]) parts.push(time.deviation(time.difference(level, lag)));
  const loudness = g.op("ReduceMean", [shape], { axes: [2], keepdims: 1 });
  parts.push(time.deviation(loudness), time.max(loudness), time.min(loudness));
  for (const lag of [1, 8]) parts.push(time.deviation(time.difference(loudness, lag)));
  parts.push(g.op("Squeeze", [average, g.ints([2])]));
  return g.op("Concat", parts, { axis: 1 });
}
