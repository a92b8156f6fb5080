export type LogFields = Readonly<Record<string, unknown>>;

/** What the library logs to, injected: a constant message and fields. The library itself is silent. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

const ignore = (): void => {};
export const silent: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
