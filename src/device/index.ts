export { DurationText } from "../core/duration.js";
export { isSenseError, SenseError, type SenseErrorOptions } from "../core/errors.js";
export type { Log } from "../core/log.js";
export type { Block, EncodedFrame, Frame, Intrinsics, PixelFormat, Reading } from "../core/reading.js";
export { endOf } from "../core/reading.js";
export {
  type Clock,
  type Duration,
  type Hertz,
  hz,
  type Micros,
  micros,
  ms,
  s,
  sampleTime,
  us,
} from "../core/time.js";
export { type ArecordOptions, arecordReadings } from "./arecord.js";
export { Backlog } from "./backlog.js";
export { physicalOptions, sizeOptions } from "./camera-options.js";
export { type Child, startChild } from "./child.js";
export { chooseModality } from "./choose-modality.js";
export { ClockEstimator, SteadyTime, Unwrap32 } from "./clock.js";
export { decodeAudio, readAudio } from "./decode/audio.js";
export { readBytes } from "./decode/bytes.js";
export { decodeDepth, type Plane, readDepth } from "./decode/depth.js";
export { imuChannels, readSeries, type Series } from "./decode/series.js";
export { decodeImage, encodeImage, type Picture, readImage } from "./decode/sharp.js";
export type { Sound } from "./decode/sound.js";
export { celsiusOf, centikelvin, decodeThermal, type Radiometry, readThermal } from "./decode/thermal.js";
export {
  type ClockFacts,
  type Device,
  type DeviceContext,
  type DeviceFacts,
  defineDevice,
  type FoundDevice,
} from "./define.js";
export { type FfmpegOptions, ffmpegReadings, ffmpegUnits } from "./ffmpeg.js";
export { readSchema } from "./firmware/catalog.js";
export type { FirmwareSchema } from "./firmware/schema.js";
export { FrameStream } from "./firmware/stream.js";
export { type GstreamerOptions, gstreamerReadings, gstreamerUnits } from "./gstreamer.js";
export { type IioOptions, type IioSensor, iioReadings, iioSensors } from "./iio.js";
export { IntrinsicsOption, withIntrinsics } from "./intrinsics.js";
export { LiveTime } from "./live-time.js";
export { audioChannels } from "./media-format.js";
export { fixedStart, paced } from "./pace.js";
export { extensionOf, type ListedFile, listFiles } from "./paths.js";
export { pause } from "./pause.js";
export { type PhysicalOptions, physical } from "./physical.js";
export { RadiometryOption, radiometryOf } from "./radiometry-option.js";
export { replayReadings } from "./replay.js";
export { openSerial, type SerialLine, serialPorts } from "./serialport.js";
export { checkSound } from "./sound-check.js";
export { turnAxes } from "./turn-axes.js";
export { type DecodeOptions, decodeVideo } from "./video/decode-host.js";
export { ffmpegDecoder, isDecoderName } from "./video/decoder.js";
export type { VideoUnit } from "./video/unit.js";
