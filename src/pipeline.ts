import type { Channel } from "./core/channel.js";
import { interleave, merge } from "./core/stream.js";
import type { Bundle } from "./encoder/bundle.js";
import { Judge, type JudgeOptions, type Said } from "./pipeline/judge.js";
import { type FlowSensor, type Perceived, perceive } from "./pipeline/perceive.js";
import type { HealthChange, Tick } from "./pipeline/sensors.js";

/** Everything that a flow yields: what was perceived, what it means, and what follows from it. */
export type Message = Perceived | HealthChange | Said;

export interface Flow extends JudgeOptions {
  readonly sensors: readonly FlowSensor[];
  readonly bundle: Bundle;
  /** Health and ticks of live sensors; absent on a replay, which is then ordered by event time alone. */
  readonly live: Channel<HealthChange | Tick> | undefined;
}

/**
 * The whole flow: readings become windows, windows become embeddings, embeddings become events, events become alerts.
 * A replay (without `live`) gives the same messages every time.
 */
export async function* detect(flow: Flow, stop: AbortController, judge = new Judge(flow)): AsyncGenerator<Message> {
  const perceived = flow.sensors.map((sensor) => perceive(sensor, flow.bundle, stop.signal));
  const items = flow.live ? alive(perceived, flow.live, stop) : interleave(perceived, (item) => item.at);
  yield* judge.begin();
  for await (const item of items) {
    switch (item.kind) {
      case "embedding":
        yield item;
        yield* judge.embedding(item.embedding);
        break;
      case "lost":
        yield item;
        break;
      case "health":
        yield item;
        yield* judge.status(item.sensor, item.health.state, item.at);
        break;
      case "tick":
        yield* judge.tick(item.at);
        break;
      default:
        item satisfies never;
    }
  }
  yield* judge.end(flow.clock?.now());
}

/** Sensors as they come, with health and time between them; it ends when the last sensor does. */
function alive(
  perceived: readonly AsyncIterable<Perceived>[],
  live: Channel<HealthChange | Tick>,
  stop: AbortController,
) {
  const sensors = async function* () {
    yield* merge(perceived, () => stop.abort());
    live.close();
  };
  return merge<Perceived | HealthChange | Tick>([sensors(), live], () => {
    stop.abort();
    live.close();
  });
}
