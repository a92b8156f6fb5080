import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { DurationText } from "./core/duration.js";
import { SenseError } from "./core/errors.js";
import { Id, Modality, NodeId } from "./core/modality.js";
import { nearest } from "./core/suggest.js";
import { BrokerOptions } from "./publish/broker.js";
import { RuleText } from "./rules/schema.js";
import { referenceProblem } from "./space/references.js";
import { ConceptText, conceptKeys } from "./space/schema.js";
import { oneOrMore, termKeys } from "./space/term.js";

/** A device by the name of its adapter, and how its stream is cut into windows. */
export const SensorConfig = z.strictObject({
  device: z.string(),
  modality: Modality.exclude(["text"]),
  /** Given to the adapter, which checks it. */
  options: z.record(z.string(), z.unknown()).default({}),
  /** Length and hop of a window; the bundle's own unless given. */
  window: z.strictObject({ length: DurationText, hop: DurationText }).optional(),
  /** Least share of a window that real samples must cover. */
  coverage: z.number().min(0).max(1).default(0.8),
  /** After this long without a reading the sensor counts as stalled. */
  stall: DurationText.optional(),
  /** Camera that the sensor is bound to while the node runs, where the bundle has no encoder for it: it has no embeddings until then. */
  bind: Id.optional(),
});
export type SensorConfig = Readonly<z.infer<typeof SensorConfig>>;

/** Several sensors at one moment, as one sensor like any other. */
export const FusedSensor = z.strictObject({
  /** Sensors, or sensors and how much each counts beside its reliability. */
  fuse: z.union([
    z
      .array(Id)
      .min(2, "a fused sensor needs two sensors")
      .transform((ids) => Object.fromEntries(ids.map((id) => [id, 1]))),
    z
      .record(Id, z.number().positive())
      .refine((members) => Object.keys(members).length > 1, "a fused sensor needs two sensors"),
  ]),
  /** From one moment to the next; the shortest hop of its sensors unless given. */
  every: DurationText.optional(),
  /** How long a sensor's window says what is now; twice its hop unless given. */
  hold: DurationText.optional(),
});
export type FusedSensor = Readonly<z.infer<typeof FusedSensor>>;

const ConfigFields = z.strictObject({
  node: NodeId.default("node"),
  /** A bundle id of models/ or a directory. */
  bundle: z.string().default("nano"),
  /** A broker; without one an embedded broker listens on the loopback address. */
  broker: z.union([BrokerOptions.shape.url.transform((url): BrokerOptions => ({ url })), BrokerOptions]).optional(),
  /** Folder of what must survive a restart: open events, cached concepts. */
  state: z.string().default(".sensebind"),
  runtime: z
    .strictObject({
      workers: z.int().min(1).max(64).default(1),
      threads: z.int().min(1).max(64).default(1),
      providers: z.array(z.string()).min(1).default(["cpu"]),
      /** Path of a libonnxruntime.so to run the models with, such as a Jetson's; onnxruntime-node unless given. */
      library: z.string().optional(),
    })
    .prefault({}),
  publish: z
    .strictObject({
      embeddings: z.enum(["float32", "float16", "int8", "off"]).default("float32"),
      /** Embeddings wait for a broker that is away, too, instead of being dropped. */
      keepEmbeddings: z.boolean().default(false),
      /** What waits for the broker on disk, at most. */
      maxMegabytes: z.number().min(1).max(100_000).default(64),
      /** How long it waits, in running time of the node. */
      maxAge: DurationText.prefault("7d"),
    })
    .prefault({}),
  /** Commands over MQTT; they are off by themselves on a broker of the network that asks for no password. */
  commands: z.boolean().default(true),
  /** Lets Home Assistant find this node by itself. */
  homeAssistant: z.boolean().default(false),
  /** What learning beside the flow may take: a share of one core, how long it learns once it has watched, and memory. */
  calibrate: z
    .strictObject({
      share: z.number().positive().max(1).default(0.5),
      time: DurationText.optional(),
      /** A quarter of the machine's unless given. */
      maxMegabytes: z.number().positive().optional(),
    })
    .prefault({}),
  /** Keeps the embeddings for `search`, by sensor and time. */
  store: z
    .strictObject({
      folder: z.string(),
      maxAge: DurationText.prefault("30d"),
      maxMegabytes: z.number().positive().default(4000),
    })
    .optional(),
  sensors: z.record(Id, z.union([SensorConfig, FusedSensor])),
  concepts: z.record(Id, ConceptText).default({}),
  /** Files with more concepts, such as `teach` writes; paths start at this file's folder. */
  include: oneOrMore(z.string()).default([]),
  rules: z.record(Id, RuleText).default({}),
  /** How late an event may come and still count for the rules, and how long a silent sensor holds them back. */
  lateness: DurationText.prefault("2s"),
  idle: DurationText.prefault("5s"),
});

/** sensebind.yaml; its output has the sensors that are devices apart from those that are fused of them. */
export const Config = ConfigFields.superRefine(({ concepts, include, sensors }, context) => {
  // What the other files hold is not known here; it is checked when the concepts are encoded.
  const problem = include.length === 0 ? referenceProblem(concepts) : undefined;
  if (problem) context.addIssue({ code: "custom", path: [...problem.path], message: problem.message });
  const devices = Object.keys(sensors).filter((id) => !("fuse" in sensors[id]!));
  for (const [id, sensor] of Object.entries(sensors)) {
    const absent = "fuse" in sensor ? Object.keys(sensor.fuse).find((member) => !devices.includes(member)) : undefined;
    if (absent === undefined) continue;
    const near = nearest(absent, devices);
    const message = `there is no sensor "${absent}" to fuse${near ? `; did you mean "${near}"?` : ""}`;
    context.addIssue({ code: "custom", path: ["sensors", id, "fuse"], message });
  }
  const cameras = devices.filter((id) => modalityOf(sensors[id]!) === "vision");
  for (const [id, sensor] of Object.entries(sensors)) {
    if ("fuse" in sensor || sensor.bind === undefined || cameras.includes(sensor.bind)) continue;
    const near = nearest(sensor.bind, cameras);
    const message = `there is no camera "${sensor.bind}" to be bound to${near ? `; did you mean "${near}"?` : ""}`;
    context.addIssue({ code: "custom", path: ["sensors", id, "bind"], message });
  }
}).transform(({ sensors, ...rest }) => {
  const entries = Object.entries(sensors);
  return {
    ...rest,
    sensors: Object.fromEntries(entries.flatMap(([id, sensor]) => ("fuse" in sensor ? [] : [[id, sensor] as const]))),
    fused: Object.fromEntries(entries.flatMap(([id, sensor]) => ("fuse" in sensor ? [[id, sensor] as const] : []))),
  };
});
export type Config = Readonly<z.infer<typeof Config>>;

const modalityOf = (sensor: SensorConfig | FusedSensor): Modality | undefined =>
  "fuse" in sensor ? undefined : sensor.modality;

/** What a sensor perceives: of a fused one all that its members do. */
export interface Perceives {
  /** What its events say: `other` where its members differ. */
  readonly modality: SensorConfig["modality"];
  readonly modalities: readonly SensorConfig["modality"][];
}

/** Every sensor that concepts can be asked of, the fused ones last. */
export function everySensor({
  sensors,
  fused,
}: Pick<Config, "sensors" | "fused">): Readonly<Record<string, Perceives>> {
  const devices = Object.entries(sensors).map(
    ([id, { modality }]) => [id, { modality, modalities: [modality] }] as const,
  );
  const together = Object.entries(fused).map(([id, { fuse }]) => {
    const modalities = [...new Set(Object.keys(fuse).map((member) => sensors[member]!.modality))];
    return [id, { modality: modalities.length === 1 ? modalities[0]! : "other", modalities }] as const;
  });
  return Object.fromEntries<Perceives>([...devices, ...together]);
}

/** Keys of the object that an issue is about, as far as the schema names them. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 0) return Object.keys(ConfigFields.shape);
  if (path[0] === "sensors" && path.length === 2)
    return [...Object.keys(SensorConfig.shape), ...Object.keys(FusedSensor.shape)];
  if (path[0] === "broker" && path.length === 1) return Object.keys(BrokerOptions.shape);
  if (path[0] === "rules") return Object.keys(RuleText.shape);
  // concepts.<id>.<list>.<n>: inside a term.
  return path.length > 2 ? termKeys : conceptKeys;
}

/** One issue of several alternatives: that of the alternative which came furthest is what the writer meant. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  // A sensor is a device or fused: the one with fewer slips is what it was meant to be.
  const sensor = issue.path[0] === "sensors";
  const alternatives = sensor ? [[...issue.errors].sort((a, b) => a.length - b.length)[0] ?? []] : issue.errors;
  const flat = alternatives
    .flat()
    .map(deepest)
    .map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  return flat.sort((a, b) => rank(b) - rank(a))[0] ?? issue;
}
const rank = (issue: z.core.$ZodIssue): number => issue.path.length * 2 + (issue.code === "unrecognized_keys" ? 3 : 0);

function sentence(issue: z.core.$ZodIssue): { message: string; hint: string } {
  const at = issue.path.join(".") || "the file";
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const near = nearest(key, knownKeys(issue.path));
    return {
      message: `${at}: no setting is called "${key}"`,
      hint: near
        ? `Did you mean "${near}"?`
        : `Known here: ${knownKeys(issue.path).join(", ")}. A comma inside { } needs quotes around the value.`,
    };
  }
  return { message: `${at}: ${issue.message}`, hint: "`sensebind schema config` prints every setting and its form." };
}

/** A file of concepts, such as `teach` writes. */
const ConceptFile = z.strictObject({ concepts: z.record(Id, ConceptText) });

/** The configuration in a YAML text. Throws `BAD_CONFIG` with the line and a suggestion. */
export const parseConfig = (text: string, source: string): Config => parseAs(Config, text, source);

/** The concepts in a YAML text that a configuration includes. Throws `BAD_CONFIG` with the line and a suggestion. */
export const parseConcepts = (text: string, source: string): Config["concepts"] =>
  parseAs(ConceptFile, text, source).concepts;

function parseAs<T>(schema: z.ZodType<T>, text: string, source: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const syntax = document.errors[0];
  if (syntax) {
    const at = lines.linePos(syntax.pos[0]);
    throw new SenseError("BAD_CONFIG", `${source}:${at.line}:${at.col}: ${syntax.message.split("\n")[0]}`, {
      hint: "The file is not valid YAML at that place.",
      cause: syntax,
    });
  }
  const parsed = schema.safeParse(plain(document, source) ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(deepest);
  // A misspelt key is also a missing one: the spelling is what the writer can mend.
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;
  const { message, hint } = sentence(issue);
  throw new SenseError("BAD_CONFIG", `${source}${position(document, lines, issue)}: ${message}`, { hint });
}

/** The document's values. Aliases that multiply without end are refused by the library. */
function plain(document: ReturnType<typeof parseDocument>, source: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new SenseError("BAD_CONFIG", `${source}: ${cause instanceof Error ? cause.message : cause}`, {
      hint: "Write the values out where they are used.",
      cause,
    });
  }
}

/** Where the key stands, for a key of a map; else where the node stands. */
function placeOf(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]): number | undefined {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
  const node: unknown = isScalar(pair?.key) ? pair.key : document.getIn(path, true);
  return isNode(node) ? node.range?.[0] : undefined;
}

/** `:line:column` of what an issue is about: the key itself where it is unknown, else its nearest parent that exists. */
function position(document: ReturnType<typeof parseDocument>, lines: LineCounter, issue: z.core.$ZodIssue): string {
  const wrong = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  for (let depth = wrong.length; depth > 0; depth--) {
    const offset = placeOf(document, wrong.slice(0, depth));
    if (offset === undefined) continue;
    const at = lines.linePos(offset);
    return `:${at.line}:${at.col}`;
  }
  return "";
}
