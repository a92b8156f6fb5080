import * as z from "zod";
import { IntrinsicsOption } from "../intrinsics.js";

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, "use a C identifier in lower case");

/** Bytes of a field's types; all little-endian on the wire. */
export const typeBytes = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4 } as const;
export type FieldType = keyof typeof typeBytes;

const Field = z.strictObject({
  name,
  type: z.enum(Object.keys(typeBytes) as [FieldType, ...FieldType[]]),
  count: z.int().min(1).max(20_000).default(1),
  /** Of the value, after `raw * scale + offset`. */
  unit: z.string().default(""),
  scale: z.number().default(1),
  offset: z.number().default(0),
});
export type Field = Readonly<z.infer<typeof Field>>;

/** A field whose value says something of the whole frame, or of one pixel each. */
const Mark = z.strictObject({ field: name, values: z.array(z.int()).min(1) });

const BlockReading = z.strictObject({
  kind: z.literal("block"),
  modality: z.enum(["audio", "imu", "other"]),
  /** One name an element of the fields, in their order; of one sample where a frame holds several. */
  channels: z.array(z.string()).min(1),
  samples: z.int().min(1).default(1),
});

const FrameReading = z.strictObject({
  kind: z.literal("frame"),
  modality: z.enum(["depth", "thermal"]),
  field: name,
  width: z.int().min(1),
  height: z.int().min(1),
  /** Pixels whose mark has none of these values have no reading. */
  valid: Mark.optional(),
  /** Frames whose mark has one of these values are dropped: a shutter is before the sensor. */
  drop: Mark.optional(),
  /** Of a depth sensor, in its own pixels. */
  intrinsics: IntrinsicsOption.optional(),
});

/** A sensor's frame as a microcontroller sends it: a file of firmware-schemas/. */
export const FirmwareSchema = z
  .strictObject({
    /** `imu-6axis.v1`. */
    id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*\.v\d+$/, "write name.v1"),
    title: z.string(),
    /** First byte on the wire; 0 is the time synchronisation. */
    number: z.int().min(0).max(255),
    /** Second byte on the wire. */
    version: z.int().min(1).max(255),
    /** Samples, or frames, a second that the device means to send. */
    rate: z.number().positive(),
    fields: z.array(Field).min(1),
    reading: z.discriminatedUnion("kind", [BlockReading, FrameReading, z.strictObject({ kind: z.literal("control") })]),
    notes: z.string().optional(),
  })
  .superRefine(({ fields, reading }, context) => {
    const elements = fields.reduce((sum, { count }) => sum + count, 0);
    if (reading.kind === "block" && reading.channels.length * reading.samples !== elements) {
      const message = `${reading.channels.length} channels of ${reading.samples} samples do not name ${elements} elements`;
      context.addIssue({ code: "custom", message, path: ["reading", "channels"] });
    }
    const marks = reading.kind === "frame" ? [reading.field, reading.valid?.field, reading.drop?.field] : [];
    for (const mark of marks) {
      if (mark === undefined || fields.some((field) => field.name === mark)) continue;
      context.addIssue({ code: "custom", message: `there is no field ${mark}`, path: ["reading"] });
    }
    const pixels = reading.kind === "frame" ? reading.width * reading.height : 0;
    const counts = fields.find((field) => reading.kind === "frame" && field.name === reading.field)?.count ?? 0;
    if (pixels !== counts) context.addIssue({ code: "custom", message: `${counts} elements are not ${pixels} pixels` });
  });
export type FirmwareSchema = Readonly<z.infer<typeof FirmwareSchema>>;

/** Schema number, version, sequence (16 bits), device time (32 bits). */
export const headBytes = 8;
export const crcBytes = 2;

/** Bytes of the fields. */
export const payloadBytes = ({ fields }: FirmwareSchema): number =>
  fields.reduce((sum, { type, count }) => sum + typeBytes[type] * count, 0);

/** Bytes of a frame before it is stuffed. */
export const frameBytes = (schema: FirmwareSchema): number => headBytes + payloadBytes(schema) + crcBytes;
