import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import * as z from "zod";
import { mosquittoNote, noMosquitto, startMosquitto, websockets } from "../support/mosquitto.js";
import { eventually } from "../support/subscriber.js";
import { embedding, event, publish } from "../support/wire.js";

const browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  (path) => spawnSync(path, ["--version"]).status === 0,
);
const note = browser === undefined ? " (SKIPPED: chromium is not installed; apt-get install chromium)" : mosquittoNote;

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("page.ts", import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles[0]!.text;
}

it.skipIf(browser === undefined || noMosquitto)(
  `the client works in a browser, over a WebSocket${note}`,
  async () => {
    await using broker = await startMosquitto({ config: websockets, scheme: "ws" });
    await using publisher = await publish(broker.url, {
      commands: {
        concept: z.unknown(),
        rule: z.unknown(),
        handlers: {
          embed: () => {
            publisher.event(event(3));
            publisher.state("cam0", "person", { v: 1, on: true, score: 0.5, since: 9 });
            publisher.embedding(embedding(4, 8));
            return { space: "test:0000", vector: [1, 2] };
          },
        },
      },
    });
    await eventually(() => publisher.connected);
    const script = await bundle();
    const server = createServer((request, response) => {
      const isScript = request.url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const chrome = await chromium.launch({ executablePath: browser!, args: ["--no-sandbox"] });
    try {
      const page = await chrome.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const seen = await page.evaluate((url) => globalThis.run(url), broker.url);
      expect(seen).toMatchObject({
        answer: { space: "test:0000", vector: [1, 2] },
        event: event(3),
        state: { sensor: "cam0", concept: "person", on: true },
        embedding: { sensor: "cam0", modality: "vision", space: "test:0000" },
      });
    } finally {
      await chrome.close();
      server.close();
    }
  },
  60_000,
);
