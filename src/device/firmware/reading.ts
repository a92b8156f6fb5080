import type { Reading } from "../../core/reading.js";
import { hz, type Micros } from "../../core/time.js";
import { withIntrinsics } from "../intrinsics.js";
import type { FrameContent } from "./frame.js";
import type { FirmwareSchema } from "./schema.js";

/** A frame as a reading: values in the units of the schema; undefined for what is none (a time answer, a closed shutter). */
export function frameReading(schema: FirmwareSchema, { fields }: FrameContent, time: Micros): Reading | undefined {
  const { reading, rate } = schema;
  switch (reading.kind) {
    case "control":
      return undefined;
    case "block": {
      const values = schema.fields.flatMap(({ name, scale, offset }) =>
        fields[name]!.map((raw) => raw * scale + offset),
      );
      const { modality, channels } = reading;
      return { kind: "block", modality, time, channels, rate: hz(rate), data: Float32Array.from(values) };
    }
    case "frame": {
      const { modality, width, height, valid, drop } = reading;
      if (drop?.values.includes(fields[drop.field]![0]!)) return undefined;
      const { scale, offset } = schema.fields.find(({ name }) => name === reading.field)!;
      const marks = valid && fields[valid.field]!;
      const data = Float32Array.from(fields[reading.field]!, (raw, i) =>
        marks && !valid.values.includes(marks[i]!) ? Number.NaN : raw * scale + offset,
      );
      const frame = { kind: "frame", modality, time, format: "float32", width, height, data } as const;
      return withIntrinsics(frame, reading.intrinsics);
    }
    default:
      return reading satisfies never;
  }
}
