import * as z from "zod";
import type { Alert } from "../core/alert.js";
import { Channel } from "../core/channel.js";
import { normalize } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Event } from "../core/event.js";
import { s } from "../core/time.js";
import { type CommandName, type CommandRequest, type CommandResult, Reply } from "../publish/commands.js";
import { decodeEmbedding } from "../publish/embedding-format.js";
import type { Calibration, SensorStatus, State, Status } from "../publish/messages.js";
import { type ParsedTopic, prefix } from "../publish/topics.js";
import { errorOf, newId, unanswered } from "./answer.js";
import type { Client, Filter, Of, OfConcept, OfSensor, ReceivedEmbedding, RequestOptions } from "./api.js";
import { Inbox, type Listener, type Listeners, waitingAtMost } from "./inbox.js";
import {
  LenientAlert,
  LenientCalibration,
  LenientEvent,
  LenientSensorStatus,
  LenientState,
  LenientStatus,
} from "./lenient.js";
import { type Arrival, type Connection, type ConnectOptions, open } from "./mqtt.js";
import { Seen } from "./seen.js";
import { type Gap, Sequences } from "./sequence.js";
import { Spaces } from "./spaces.js";

/** Connects to a broker (`mqtt://`, `mqtts://`, `ws://`, `wss://`), in Node or in a browser. Throws `BROKER_UNREACHABLE`. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Client> {
  const early: Arrival[] = [];
  let deliver = (arrival: Arrival): void => void early.push(arrival);
  const client = new WireClient(await open(url, options, (arrival) => deliver(arrival)), options);
  deliver = (arrival) => client.receive(arrival);
  early.forEach(deliver);
  return client;
}

class WireClient implements Client {
  readonly #connection: Connection;
  readonly #inbox: Inbox;
  readonly #subscriptions = new Map<string, Promise<void>>();
  readonly #channels = new Set<Channel<never>>();
  readonly #spaces = new Spaces();
  #malformed = 0;
  #overrun = 0;

  constructor(connection: Connection, { session }: ConnectOptions) {
    this.#connection = connection;
    this.#inbox = new Inbox({ session: session !== undefined });
  }

  get dropped(): Client["dropped"] {
    const waiting = [...this.#channels].reduce((sum, { dropped }) => sum + dropped, 0);
    return { malformed: this.#malformed, overrun: this.#inbox.overrun + this.#overrun + waiting };
  }

  receive(arrival: Arrival): void {
    this.#inbox.receive(arrival);
  }

  async ready(): Promise<void> {
    await Promise.all(this.#subscriptions.values());
  }

  events({ node = "+", sensor = "+", concept = "+" }: Filter = {}): AsyncIterable<Event> {
    const seen = new Seen();
    return this.#read<Event>([`${node}/event/${sensor}/${concept}`], (put) => ({
      event: this.#json(LenientEvent, { node, sensor, concept }, (event) => {
        if (seen.add(keyOf(event))) put(event as Event);
      }),
    }));
  }

  alerts({ node = "+", rule = "+" }: { readonly node?: string; readonly rule?: string } = {}): AsyncIterable<Alert> {
    const seen = new Seen();
    return this.#read<Alert>([`${node}/alert/${rule}`], (put) => ({
      alert: this.#json(LenientAlert, { node, rule }, (alert) => {
        if (seen.add(keyOf(alert))) put(alert);
      }),
    }));
  }

  states({ node = "+", sensor = "+", concept = "+" }: Filter = {}): AsyncIterable<OfConcept<State>> {
    return this.#read<OfConcept<State>>([`${node}/state/${sensor}/${concept}`], (put) => ({
      state: this.#json(LenientState, { node, sensor, concept }, (state, at) => {
        put({ ...state, node: at.node, sensor: at.sensor!, concept: at.concept! });
      }),
    }));
  }

  statuses({ node = "+" }: Pick<Filter, "node"> = {}): AsyncIterable<Of<Status>> {
    return this.#read<Of<Status>>([`${node}/status`], (put) => ({
      status: this.#json(LenientStatus, { node }, (status, at) => put({ ...status, node: at.node })),
    }));
  }

  sensors({ node = "+", sensor = "+" }: Omit<Filter, "concept"> = {}): AsyncIterable<OfSensor<SensorStatus>> {
    return this.#read<OfSensor<SensorStatus>>([`${node}/sensor/${sensor}/status`], (put) => ({
      sensorStatus: this.#json(LenientSensorStatus, { node, sensor }, (status, at) => {
        put({ ...status, node: at.node, sensor: at.sensor! });
      }),
    }));
  }

  calibrations({ node = "+", sensor = "+" }: Omit<Filter, "concept"> = {}): AsyncIterable<OfSensor<Calibration>> {
    return this.#read<OfSensor<Calibration>>([`${node}/sensor/${sensor}/calibration`], (put) => ({
      calibration: this.#json(LenientCalibration, { node, sensor }, (calibration, at) => {
        put({ ...calibration, node: at.node, sensor: at.sensor! });
      }),
    }));
  }

  embeddings({ node = "+", sensor = "+" }: Omit<Filter, "concept"> = {}): AsyncIterable<ReceivedEmbedding> {
    const seen = new Seen(1024);
    return this.#read<ReceivedEmbedding>([`${node}/status`, `${node}/sensor/${sensor}/embedding`], (put) => ({
      status: this.#json(LenientStatus, { node }, ({ space }) => void this.#spaces.learn(space)),
      embedding: (parsed, { payload, userProperties }) => {
        if (!matches(parsed, { node, sensor })) return;
        this.#checked(() => {
          const { dtype: _, spaceTag, vector, ...wire } = decodeEmbedding(payload);
          if (!seen.add(`${parsed.node} ${parsed.sensor} ${wire.seq} ${wire.from}`)) return;
          const told = userProperties.space;
          const space = typeof told === "string" ? told : this.#spaces.name(spaceTag);
          put({ ...wire, node: parsed.node, sensor: parsed.sensor!, space, vector: normalize(vector) });
        });
      },
    }));
  }

  gaps({ node = "+" }: Pick<Filter, "node"> = {}): AsyncIterable<Gap> {
    const seen = new Seen();
    const sequences = new Sequences();
    return this.#read<Gap>([`${node}/event/+/+`, `${node}/alert/+`], (put) => {
      const note = (message: Event | Alert) => {
        const gap = seen.add(keyOf(message)) ? sequences.note(message.node, message.seq) : undefined;
        if (gap !== undefined) put(gap);
      };
      return {
        event: this.#json(LenientEvent, { node }, (event) => note(event as Event)),
        alert: this.#json(LenientAlert, { node }, note),
      };
    });
  }

  async request<N extends CommandName>(
    node: string,
    name: N,
    request?: CommandRequest<N>,
    { deadline = s(15) }: RequestOptions = {},
  ): Promise<CommandResult<N>> {
    const id = newId();
    await this.#subscribe(`${prefix}/${node}/reply/+`, 1);
    const replies = this.#read<Reply>([], (put) => ({
      reply: (parsed, { payload }) => {
        if (parsed.node !== node || parsed.name !== id) return;
        this.#checked(() => put(Reply.parse(JSON.parse(new TextDecoder().decode(payload)))));
      },
    }))[Symbol.asyncIterator]();
    const timer = setTimeout(() => void replies.return?.(), deadline / 1e3);
    try {
      const answer = replies.next();
      await this.#connection.publish(`${prefix}/${node}/command/${name}`, JSON.stringify({ ...request, id }));
      const { value: reply, done } = await answer;
      if (done) throw unanswered(node, name, deadline);
      if (reply.ok) return reply.result as CommandResult<N>;
      throw errorOf(reply.error);
    } finally {
      clearTimeout(timer);
      await replies.return?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.#connection[Symbol.asyncDispose]();
  }

  /** Messages of some topics as one iterable; it listens from now on, not from the first `next`. */
  #read<T>(
    filters: readonly string[],
    listen: (put: (value: T) => void) => Listeners,
  ): AsyncIterable<T> & AsyncIterator<T> {
    const channel = new Channel<T>(waitingAtMost);
    const unlisten = this.#inbox.listen(listen((value) => channel.put(value)));
    this.#channels.add(channel as Channel<never>);
    const subscribed = Promise.all(filters.map((filter) => this.#subscribe(`${prefix}/${filter}`, 1)));
    subscribed.catch(() => channel.close());
    const values = channel[Symbol.asyncIterator]();
    const leave = () => {
      channel.close();
      unlisten();
      if (this.#channels.delete(channel as Channel<never>)) this.#overrun += channel.dropped;
    };
    return {
      async next() {
        await subscribed;
        return values.next();
      },
      async return(value?: T) {
        leave();
        return { done: true, value };
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #subscribe(filter: string, qos: 0 | 1): Promise<void> {
    const known = this.#subscriptions.get(filter);
    if (known !== undefined) return known;
    const fresh = this.#connection.subscribe(filter, qos);
    this.#subscriptions.set(filter, fresh);
    return fresh;
  }

  #json<S extends z.ZodType>(
    schema: S,
    filter: ParsedFilter,
    use: (value: z.output<S>, at: ParsedTopic) => void,
  ): Listener {
    return (parsed, { payload }) => {
      if (!matches(parsed, filter)) return;
      this.#checked(() => use(schema.parse(JSON.parse(new TextDecoder().decode(payload))), parsed));
    };
  }

  /** A message that is not what the contract says is counted, and does not end the reading of those that are. */
  #checked(read: () => void): void {
    try {
      read();
    } catch (error) {
      const known = error instanceof z.ZodError || error instanceof SyntaxError || error instanceof SenseError;
      if (!known) throw error;
      this.#malformed++;
    }
  }
}

type ParsedFilter = Partial<Omit<ParsedTopic, "kind">>;

const matches = (parsed: ParsedTopic, filter: ParsedFilter): boolean =>
  Object.entries(filter).every(([key, wanted]) => wanted === "+" || parsed[key as keyof ParsedTopic] === wanted);

const keyOf = ({ node, id, phase, seq }: Event | Alert): string => `${node} ${id} ${phase} ${seq}`;
