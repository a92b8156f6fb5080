declare const instant: unique symbol;
declare const duration: unique symbol;
declare const hertz: unique symbol;

/** An instant: microseconds since the Unix epoch, an integer (exact in a double until the year 2255). */
export type Micros = number & { readonly [instant]: true };

/** A span of time in microseconds. */
export type Duration = number & { readonly [duration]: true };

/** A rate in samples or frames per second. */
export type Hertz = number & { readonly [hertz]: true };

export const micros = (value: number): Micros => Math.round(value) as Micros;
export const us = (value: number): Duration => value as Duration;
export const ms = (value: number): Duration => (value * 1e3) as Duration;
export const s = (value: number): Duration => (value * 1e6) as Duration;
export const minutes = (value: number): Duration => (value * 60e6) as Duration;
export const hours = (value: number): Duration => (value * 3600e6) as Duration;
export const hz = (value: number): Hertz => value as Hertz;

export const after = (time: Micros, span: Duration): Micros => micros(time + span);
export const between = (from: Micros, to: Micros): Duration => (to - from) as Duration;

/** The instant of sample `index` of a stream that began at `start`. */
export const sampleTime = (start: Micros, index: number, rate: Hertz): Micros => micros(start + (index * 1e6) / rate);

/** Where the present comes from; it exists at the edges only, everything else works on event time. */
export interface Clock {
  now(): Micros;
}
