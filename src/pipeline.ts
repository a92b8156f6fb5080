import type { Channel } from "./core/channel.js";
import { interleave, merge } from "./core/stream.js";
import type { HotBundle } from "./encoder/hot-bundle.js";
import { Judge, type JudgeOptions, type Said } from "./pipeline/judge.js";
import type { HealthChange, News, Order } from "./pipeline/news.js";
import { type FlowSensor, type Perceived, perceive } from "./pipeline/perceive.js";
import type { Cut } from "./window/cut.js";

/** Everything that a flow yields: what was perceived, what it means, and what follows from it. */
export type Message = Exclude<Perceived, { kind: "unbound" }> | HealthChange | Said;

export interface Flow extends JudgeOptions {
  readonly sensors: readonly FlowSensor[];
  readonly bundle: HotBundle;
  /** Told of each window of a sensor that is not bound to the space yet. */
  readonly onUnbound?: (cut: Cut) => void;
  /** Health and ticks of live sensors; absent on a replay, which is then ordered by event time alone. */
  readonly live: Channel<News> | undefined;
}

/**
 * The whole flow: readings become windows, windows become embeddings, embeddings become events, events become alerts.
 * A replay (without `live`) gives the same messages every time.
 */
export async function* detect(flow: Flow, stop: AbortController, judge = new Judge(flow)): AsyncGenerator<Message> {
  const perceived = flow.sensors.map((sensor) => perceive(sensor, flow.bundle));
  const items = flow.live ? alive(perceived, flow.live, stop) : interleave(perceived, (item) => item.at);
  yield* judge.begin();
  for await (const item of items) {
    switch (item.kind) {
      case "embedding":
        yield item;
        yield* judge.embedding(item.embedding, item.quality);
        break;
      case "lost":
        yield item;
        break;
      case "unbound":
        flow.onUnbound?.(item.cut);
        break;
      case "health":
        yield item;
        yield* judge.status(item.sensor, item.health.state, item.at);
        break;
      case "tick":
        yield* judge.tick(item.at);
        break;
      case "order":
        yield* obey(item, judge);
        break;
      default:
        item satisfies never;
    }
  }
  yield* judge.end(flow.clock?.now());
}

/** Does what a command asks for, and tells it how that went: what cannot be done changes nothing and stops nothing. */
function* obey({ work, settle }: Order, judge: Judge): Generator<Said> {
  const done: Said[] = [];
  try {
    done.push(...work(judge));
    settle();
  } catch (error) {
    settle(error);
  }
  yield* done;
}

/** Sensors as they come, with health and time between them; it ends when the last sensor does. */
function alive(perceived: readonly AsyncIterable<Perceived>[], live: Channel<News>, stop: AbortController) {
  const sensors = async function* () {
    yield* merge(perceived, () => stop.abort());
    live.close();
  };
  return merge<Perceived | News>([sensors(), live], () => {
    stop.abort();
    live.close();
  });
}
