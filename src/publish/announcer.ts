import {
  type Announcement,
  birthTopic,
  type Component,
  components,
  discovery,
  discoveryTopic,
  type Origin,
} from "./home-assistant.js";
import type { Incoming } from "./mqtt.js";

interface Voice {
  readonly retain: (topic: string, payload: Uint8Array) => void;
  /** Says everything retained again. */
  readonly repeat: () => void;
}

/** Keeps Home Assistant's picture of this node up to date: after a change, after its restart, and after the node's own. */
export class Announcer {
  readonly filters: readonly string[];
  readonly #origin: Origin;
  readonly #voice: Voice;
  readonly #topic: string;
  #current: Announcement | undefined;
  /** Platform of every entity that Home Assistant may know. */
  #known: ReadonlyMap<string, string> = new Map();

  constructor(origin: Origin, voice: Voice) {
    this.#origin = origin;
    this.#voice = voice;
    this.#topic = discoveryTopic(origin.node);
    this.filters = [birthTopic, this.#topic];
  }

  announce(announcement: Announcement): void {
    this.#current = announcement;
    const now = components(announcement, this.#origin);
    const gone = [...this.#known].filter(([key]) => now[key] === undefined);
    if (gone.length > 0) this.#say(gone);
    this.#say([]);
    this.#known = platforms(now);
  }

  #say(gone: readonly [string, string][]): void {
    if (this.#current === undefined) return;
    const payload = discovery(this.#current, this.#origin, gone);
    this.#voice.retain(this.#topic, Buffer.from(JSON.stringify(payload)));
  }

  receive({ topic, payload, retain }: Incoming): void {
    const text = Buffer.from(payload).toString();
    // Retained, it may be from before this node started; Home Assistant asks for a repetition when it begins.
    if (topic === birthTopic && text === "online" && !retain) this.#voice.repeat();
    if (topic === this.#topic && retain) this.#learn(text);
  }

  /** What the node announced before it was restarted: entities that are not there any more have to be removed. */
  #learn(text: string): void {
    const earlier = earlierPlatforms(text);
    if (this.#current === undefined) this.#known = earlier;
    const now = this.#current === undefined ? undefined : components(this.#current, this.#origin);
    if (now === undefined || ![...earlier.keys()].some((key) => now[key] === undefined)) return;
    this.#known = earlier;
    this.announce(this.#current!);
  }
}

const platforms = (found: Readonly<Record<string, Component>>): Map<string, string> =>
  new Map(Object.entries(found).map(([key, { platform }]) => [key, platform]));

function earlierPlatforms(text: string): Map<string, string> {
  try {
    const { components } = JSON.parse(text) as { components?: Record<string, Component> };
    return platforms(components ?? {});
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    // Somebody else's payload on this topic; the next announcement replaces it.
    return new Map();
  }
}
