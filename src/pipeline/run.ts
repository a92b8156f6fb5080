import { join, resolve } from "node:path";
import type { Config } from "../config.js";
import type { SensorReading } from "../core/reading.js";
import { watched } from "../core/stream.js";
import { type Micros, s } from "../core/time.js";
import { detect, type Message } from "../pipeline.js";
import type { CommandOptions } from "../publish/command-server.js";
import type { Calibration, Losses } from "../publish/messages.js";
import { connect, type Publisher } from "../publish/publisher.js";
import { BackgroundFile } from "../space/background/file.js";
import { indexInBackground } from "../space/store/index-in-background.js";
import { Store } from "../space/store/store.js";
import { type Cut, slideCounters } from "../window/cut.js";
import { openActions, refuseActions } from "./actions.js";
import { Announce } from "./announce.js";
import { originsOf } from "./background-origin.js";
import { calibrationHandlers, type OpenCalibrations } from "./calibrations.js";
import { commandHandlers, settable } from "./commands.js";
import { fusionsOf } from "./fusions.js";
import { Judge, type JudgeOptions } from "./judge.js";
import { Newest } from "./newest.js";
import { type Node, type NodeFolders, openNode, windowOf } from "./node.js";
import type { FlowSensor } from "./perceive.js";
import { publish } from "./publish.js";
import { Recent } from "./recent.js";
import { type Edge, openSensors } from "./sensors.js";
import { Settings } from "./settings.js";
import { StatusReport } from "./status-report.js";
import { teachingHandlers } from "./teaching.js";
import { isUnbound } from "./unbound.js";

export interface RunEdge extends Edge {
  readonly folders: NodeFolders;
  readonly version: string;
  /** Where the broker's secrets are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What binds sensors beside the flow; without it, nothing here can calibrate. */
  readonly calibrations?: OpenCalibrations;
  /** The configuration whenever its file changes: a live node takes over its concepts and rules. */
  readonly changes?: AsyncIterable<Config>;
}

/** What a run says beside the messages of its flow: that it stands, and how it ended. */
export type RunMessage =
  | Message
  | {
      readonly kind: "open";
      readonly broker: string;
      readonly space: string;
      readonly sensors: readonly string[];
      /** Those of them that have no encoder yet, and the camera that each waits to be bound to. */
      readonly unbound: Readonly<Record<string, string>>;
      /** What the bundle's licence wants every user to be told. */
      readonly notice: string | undefined;
    }
  | { readonly kind: "closed"; readonly sent: boolean; readonly losses: Losses };

/** How long a stopping node waits for the broker to take what is left; the rest is on disk. */
const drainFor = s(5);

/**
 * The main job: sensors, windows, vectors, events, alerts, and all of it on MQTT, until the signal or until the last sensor
 * has ended. Throws what is wrong with the configuration; what goes wrong later is retried, counted and published.
 */
export async function* run(config: Config, edge: RunEdge): AsyncGenerator<RunMessage> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  edge.signal.addEventListener("abort", abort, { once: true });
  if (edge.signal.aborted) abort();
  try {
    const inner = { ...edge, signal: stop.signal };
    refuseActions(config, edge.calibrations !== undefined);
    await using node = await openNode(config, edge.folders);
    const { readings, news, live } = await openSensors(config, inner);
    // A recording that is read as fast as it goes has no time to learn from it.
    const open = live ? edge.calibrations : undefined;
    const settings = new Settings(config, {
      ...{ bundle: node.bundle, folders: edge.folders, orders: news },
      ...{ calibrates: open !== undefined, signal: inner.signal },
    });
    let wire: Publisher | undefined;
    await using calibrations = await open?.({
      ...{ ...edge, config, node, settings, signal: inner.signal },
      tell: (sensor: string, calibration: Calibration) => wire?.calibration(sensor, calibration),
    });
    const store = config.store === undefined ? undefined : openStore(config.store, node, edge);
    await using _indexing = store && indexInBackground(store, edge.log);
    const recent = new Recent();
    const basic = commandHandlers({ settings, bundle: node.bundle, store });
    const handlers = {
      ...basic,
      ...teachingHandlers({ settings, bundle: node.bundle, recent, state: edge.folders.state }, basic),
      ...calibrationHandlers(calibrations, config),
    };
    const commands = live ? { ...settable, handlers } : undefined;
    await using publisher = await connectPublisher(config, node, {
      ...edge,
      commands: config.commands ? commands : undefined,
    });
    wire = publisher;
    for (const [sensor, state] of Object.entries(calibrations?.status() ?? {})) publisher.calibration(sensor, state);
    const entities = new Announce(publisher, node, settings);
    entities.refresh();
    const newest = new Newest();
    const { log } = edge;
    await using actions = openActions(node.rules, {
      ...{ config, publisher, newest, calibrations, log },
      state: edge.folders.state,
    });
    const noted = (reading: SensorReading): void => newest.note(reading);
    const sensors = flowSensors(config, node, (id) => watched(readings.get(id)!, noted));
    yield {
      kind: "open",
      broker: publisher.url,
      space: node.bundle.space,
      sensors: Object.keys(config.sensors),
      unbound: unboundOf(config, node),
      notice: node.bundle.manifest.licence.notice,
    };
    const background = new BackgroundFile(join(edge.folders.state, "background.json"), node.bundle.space);
    const origins = (concepts: Node["concepts"]) => originsOf(node.bundle, concepts);
    const { backgrounds, discarded } = background.load(origins(node.concepts));
    if (discarded) edge.log.warn({ discarded }, "what was learned of the background is given up");
    const fusions = fusionsOf(config, node.bundle);
    const flow = {
      ...node,
      node: config.node,
      sensors,
      backgrounds,
      originsOf: origins,
      onUnbound: (cut: Cut) => calibrations?.window(cut),
      fusions,
      firstSeq: publisher.recovered.nextSeq,
      left: interrupted(publisher.recovered, edge.clock.now()),
      ...(live ? { clock: edge.clock, live: news } : { clock: undefined, live: undefined }),
    };
    const judge = new Judge(flow);
    const known = (sensor: string) => judge.known(sensor);
    const report = new StatusReport({ config, publisher, sensors, readings, fusions, known });
    if (live && edge.changes) void settings.follow(edge.changes, log);
    for await (const message of detect(flow, stop, judge)) {
      publish(publisher, message, config.publish);
      if (message.kind === "alert") actions.run(message.alert);
      if (message.kind === "embedding") {
        store?.add(message.embedding);
        recent.add(message.embedding);
        calibrations?.embedding(message.embedding, "quality" in message ? message.quality : undefined);
      }
      report.after(message, edge.clock.now());
      entities.refresh();
      background.saveNowAndThen(judge, edge.clock.now());
      yield message;
    }
    const { late, ahead, hurried } = node.rules.dropped;
    if (late + ahead + hurried > 0) log.warn({ late, ahead, hurried }, "events did not come in time for the rules");
    background.save(judge);
    store?.flush();
    report.all();
    yield { kind: "closed", sent: await publisher.drain(drainFor), losses: publisher.losses };
  } finally {
    abort();
    edge.signal.removeEventListener("abort", abort);
  }
}

interface PublisherEdge extends RunEdge {
  readonly commands: CommandOptions | undefined;
}

function connectPublisher(
  config: Config,
  { bundle, runtime }: Node,
  { commands, ...edge }: PublisherEdge,
): Promise<Publisher> {
  const { broker, node, publish, homeAssistant, runtime: asked } = config;
  const { embeddings, keepEmbeddings, maxAge } = publish;
  const maxBytes = publish.maxMegabytes * 2 ** 20;
  const { licence } = bundle.manifest;
  const about = {
    version: edge.version,
    space: bundle.space,
    runtime: { name: runtime.name, provider: asked.providers[0]! },
    ...((licence.nonCommercial || licence.notice !== undefined) && { licence: licence.spdx }),
  };
  return connect(
    {
      node,
      about,
      ...(broker ? { broker, outbox: { folder: join(edge.folders.state, "outbox"), maxBytes, maxAge } } : {}),
      ...(commands && { commands }),
      homeAssistant,
      embeddings: { dtype: embeddings === "off" ? "float32" : embeddings, keep: keepEmbeddings },
    },
    edge,
  );
}

/** The store that `search` looks through. Throws `SPACE_MISMATCH` for one that was filled with another bundle. */
function openStore(
  { folder, maxAge, maxMegabytes }: NonNullable<Config["store"]>,
  { bundle }: Node,
  edge: RunEdge,
): Store {
  const space = { id: bundle.space, dim: bundle.manifest.dim };
  return Store.open(resolve(edge.folder, folder), space, { maxAge, maxBytes: maxMegabytes * 1e6 });
}

const unboundOf = ({ sensors }: Config, { bundle }: Node): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(sensors).flatMap(([id, sensor]) =>
      isUnbound(sensor, bundle.forSensor(id)) ? [[id, sensor.bind!]] : [],
    ),
  );

function flowSensors(
  config: Config,
  { bundle }: Node,
  readings: (sensor: string) => FlowSensor["readings"],
): readonly FlowSensor[] {
  return Object.entries(config.sensors).map(([id, sensor]) => ({
    id,
    modality: sensor.modality,
    readings: readings(id),
    window: windowOf(sensor, bundle.forSensor(id)),
    coverage: sensor.coverage,
    counters: slideCounters(),
  }));
}

/** The ends of what was open when the last run was killed. */
function interrupted({ events, alerts }: Publisher["recovered"], now: Micros): JudgeOptions["left"] {
  return {
    events: events.map(({ explain: _, ...event }) => ({
      ...event,
      phase: "end",
      at: Math.max(now, event.at),
      reason: "restart",
    })),
    alerts: alerts.map((alert) => ({ ...alert, phase: "end", at: Math.max(now, alert.at) })),
  };
}
