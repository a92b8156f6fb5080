import { audioChannels, type MediaFormat } from "./media-format.js";
import type { Tag } from "./tagged.js";

/** What the bytes are that the lines announce. */
export type FramecrcContent = "rgb8" | "gray16" | "jpeg" | "float32" | "h264";

/** Reads what ffmpeg's framecrc muxer writes: `#tb 0: 1/10`, `#dimensions 0: 50x20`, then `0, dts, pts, duration, size, crc`. */
export class FramecrcReader {
  readonly #content: FramecrcContent;
  #timeBase = 0;
  #size = { width: 0, height: 0 };
  #rate = 0;
  #channels = 1;

  constructor(content: FramecrcContent) {
    this.#content = content;
  }

  get format(): MediaFormat {
    if (this.#content === "h264") return { kind: "video", codec: "h264" };
    if (this.#content === "jpeg") return { kind: "encoded", mime: "image/jpeg" };
    if (this.#content === "float32") {
      return { kind: "block", channels: audioChannels(this.#channels), rate: this.#rate };
    }
    return { kind: "frame", format: this.#content, ...this.#size };
  }

  read(line: string): Tag | undefined {
    const [, name, value = ""] = /^#(\w+) 0: (.*)$/.exec(line) ?? [];
    if (name === "tb") this.#timeBase = Number(value.split("/")[0]) / Number(value.split("/")[1]);
    if (name === "sample_rate") this.#rate = Number(value);
    if (name === "dimensions") {
      const [width, height] = value.split("x").map(Number);
      this.#size = { width: width!, height: height! };
    }
    const fields = line.startsWith("0,") ? line.split(",").map(Number) : undefined;
    if (!fields) return undefined;
    const [, , pts, duration, bytes] = fields as [number, number, number, number, number];
    // The channel count is not in every version's header, but follows from a packet's size and duration in samples.
    if (this.#content === "float32" && duration > 0) this.#channels = Math.round(bytes / 4 / duration);
    return { bytes, time: Number.isFinite(pts) ? pts * this.#timeBase * 1e6 : undefined };
  }
}
