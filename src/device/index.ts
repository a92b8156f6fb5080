export { SenseError, type SenseErrorOptions } from "../core/errors.js";
export type { Log } from "../core/log.js";
export type { Block, EncodedFrame, Frame, PixelFormat, Reading } from "../core/reading.js";
export { type Clock, type Duration, type Hertz, hz, type Micros, micros, ms, s, sampleTime } from "../core/time.js";
export { type Device, type DeviceContext, defineDevice, type FoundDevice } from "./define.js";
