import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s } from "../../src/core/time.js";
import { startBroker } from "../../src/publish/aedes.js";
import { connect } from "../../src/publish/publisher.js";
import { logbook } from "../support/logbook.js";
import { mosquittoNote, noMosquitto, startMosquitto } from "../support/mosquitto.js";
import { eventually, subscribe } from "../support/subscriber.js";
import { about, brokers, clock, embedding, event, impatient, publish } from "../support/wire.js";

const on = { v: 1, on: true, score: 1, since: 5 } as const;

/** A wire that can be cut. */
async function wire(port: number) {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(port, "127.0.0.1");
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => {});
    }
    near.pipe(far);
    far.pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const end of ends) end.destroy();
    ends.clear();
  };
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}

describe.each(brokers)("a link to $name", ({ start, skip }) => {
  it.skipIf(skip)("that is cut: the broker says offline, the node comes back and says online", async () => {
    await using broker = await start();
    await using link = await wire(broker.port);
    await using subscriber = await subscribe(broker.url);
    await using publisher = await publish(link.url);
    await subscriber.until(({ json }) => json.state === "online");
    link.cut();
    await subscriber.until(({ json }) => json.state === "offline");
    await eventually(() => subscriber.on("sensebind/node1/status").at(-1)?.state === "online");
    expect(publisher.losses).toEqual({ embeddings: 0, updates: 0, events: 0 });
  });

  it.skipIf(skip)("a will that comes late does not leave a node offline that is there", async () => {
    await using broker = await start();
    await using publisher = await publish(broker.url);
    await eventually(() => publisher.connected);
    await using other = await subscribe(broker.url);
    const late = JSON.stringify({ v: 1, state: "offline", since: 0 });
    await other.client.publishAsync("sensebind/node1/status", late, { qos: 1, retain: true });
    await eventually(() => other.on("sensebind/node1/status").at(-1)?.state === "online");
  });
});

describe.skipIf(noMosquitto)(`with a real mosquitto${mosquittoNote}`, () => {
  it("one that freezes (a half-open link) and thaws: every event arrives, in order", async () => {
    await using broker = await startMosquitto();
    await using subscriber = await subscribe(broker.url);
    await using publisher = await publish(broker.url);
    publisher.event(event(0));
    await eventually(() => publisher.pending === 0 && publisher.connected);
    broker.freeze();
    for (let seq = 1; seq < 200; seq++) publisher.event(event(seq));
    await eventually(() => !publisher.connected);
    expect(publisher.pending).toBe(199);
    broker.thaw();
    await eventually(() => publisher.pending === 0);
    await subscriber.until(({ json }) => json.seq === 199);
    const seqs = subscriber.on("sensebind/node1/event/cam0/person").map(({ seq }) => seq as number);
    expect(seqs.filter((seq, i) => seqs.indexOf(seq) === i)).toEqual([...Array(200).keys()]);
  });

  it("one that is killed and comes back empty: it gets the waiting events and all that is retained", async () => {
    await using broker = await startMosquitto();
    await using publisher = await publish(broker.url);
    publisher.event(event(0));
    publisher.state("cam0", "person", on);
    await eventually(() => publisher.pending === 0 && publisher.connected);
    await broker.kill();
    for (let seq = 1; seq < 50; seq++) publisher.event(event(seq));
    publisher.state("cam0", "cat", on);
    await eventually(() => !publisher.connected);
    await broker.start();
    await using subscriber = await subscribe(broker.url);
    await eventually(() => publisher.pending === 0);
    await subscriber.until(({ topic }) => topic.endsWith("/state/cam0/person"));
    await subscriber.until(({ topic }) => topic.endsWith("/state/cam0/cat"));
    await subscriber.until(({ topic }) => topic === "sensebind/node1/status");
  });

  it.each([
    ["takes packets of 256 bytes", "max_packet_size 256", 1],
    ["takes two messages at once", "max_inflight_messages 2", 2],
    ["keeps nothing, not even a will", "retain_available false", 2],
    ["takes QoS 0 only, the will included", "max_qos 0", 2],
  ])("one that %s gets every event all the same", async (_name, line, vectors) => {
    await using broker = await startMosquitto({
      config: ["listener $PORT 127.0.0.1", "allow_anonymous true", line],
    });
    await using subscriber = await subscribe(broker.url);
    const about = { version: "1", space: "t", runtime: { name: "r", provider: "c" } };
    await using publisher = await publish(broker.url, { about });
    await eventually(() => publisher.connected);
    const short = { id: "e", sensor: "c", concept: "p", space: "t", from: 1, to: 2, at: 3, latencyUs: 4, score: 1 };
    for (let seq = 0; seq < 50; seq++) publisher.event(event(seq, short));
    publisher.embedding(embedding(1, 64));
    publisher.embedding(embedding(2, 384));
    const got = (part: string) => subscriber.messages.filter(({ topic }) => topic.includes(part));
    await eventually(() => got("/event/").length === 50 && got("/embedding").length === vectors);
    expect(got("/event/").map(({ json }) => json.seq)).toEqual([...Array(50).keys()]);
    expect(publisher.losses).toEqual({ embeddings: 2 - vectors, updates: 0, events: 0 });
  });

  it("two nodes of one name do not throw each other out ever faster, and the log names the likely reason", async () => {
    await using broker = await startMosquitto();
    const { log, lines } = logbook();
    await using first = await publish(broker.url, {}, log);
    await eventually(() => first.connected);
    await using _second = await publish(broker.url);
    await eventually(() => lines.some((line) => line.includes("does another node have this name?")));
  });
});

describe.skipIf(noMosquitto)(`credentials and certificates, with a real mosquitto${mosquittoNote}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "sensebind-tls-"));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });

  beforeAll(() => {
    const authority = (name: string) =>
      openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        `/CN=${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.crt`,
      );
    authority("ca");
    authority("stranger");
    for (const name of ["server", "node1"]) {
      openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        `/CN=${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
      );
      writeFileSync(file("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "ext",
        "-out",
        `${name}.crt`,
      );
    }
    execFileSync("mosquitto_passwd", ["-b", "-c", file("passwords"), "node1", "s3cr3t-word"], { stdio: "pipe" });
    writeFileSync(file("secret"), "s3cr3t-word\n");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const tlsLines = () => [
    `cafile ${file("ca.crt")}`,
    `certfile ${file("server.crt")}`,
    `keyfile ${file("server.key")}`,
  ];
  const withCertificates = () => [
    "listener $PORT 127.0.0.1",
    ...tlsLines(),
    "require_certificate true",
    "use_identity_as_username true",
    "allow_anonymous true",
  ];
  const own = { ca: file("ca.crt"), cert: file("node1.crt"), key: file("node1.key") };

  it("a client certificate opens mqtts; without one, or under a stranger's authority, the reason is told", async () => {
    await using broker = await startMosquitto({ config: withCertificates(), scheme: "mqtts" });
    await using good = await publish(broker.url, { broker: { url: broker.url, tls: own } });
    good.event(event(0));
    expect(await good.drain(s(10))).toBe(true);
    const stranger = logbook();
    await using _bad = await publish(
      broker.url,
      { broker: { url: broker.url, tls: { ...own, ca: file("stranger.crt") } } },
      stranger.log,
    );
    await eventually(() => stranger.lines.some((line) => /self.signed certificate|unable to (get|verify)/.test(line)));
    const nobody = logbook();
    await using _none = await publish(
      broker.url,
      { node: "node2", broker: { url: broker.url, tls: { ca: own.ca } } },
      nobody.log,
    );
    await eventually(() =>
      nobody.lines.some((line) => /the broker cannot be reached|connection to the broker is lost/.test(line)),
    );
  });

  it("wss works with the same certificates", async () => {
    const config = [
      "listener 0 $FOLDER/socket",
      "listener $PORT 127.0.0.1",
      "protocol websockets",
      ...tlsLines(),
      "allow_anonymous true",
    ];
    await using broker = await startMosquitto({ config, scheme: "wss" });
    await using publisher = await publish(broker.url, { broker: { url: broker.url, tls: { ca: own.ca } } });
    publisher.event(event(0));
    expect(await publisher.drain(s(10))).toBe(true);
  });

  const guarded = () => ["listener $PORT 127.0.0.1", `password_file ${file("passwords")}`, "allow_anonymous false"];

  it("user and password come from the environment or a file, and are in no log", async () => {
    await using broker = await startMosquitto({ config: guarded() });
    const { log, lines } = logbook();
    const edge = { clock, log, environment: { MQTT_PASSWORD: "s3cr3t-word" } };
    for (const password of [{ env: "MQTT_PASSWORD" }, { file: file("secret") }]) {
      const options = {
        node: "node1",
        about,
        patience: impatient,
        broker: { url: broker.url, username: "node1", password },
      };
      await using publisher = await connect(options, edge);
      publisher.event(event(0));
      expect(await publisher.drain(s(10))).toBe(true);
    }
    const url = broker.url.replace("://", "://node1:wr0ng-word@");
    await using publisher = await publish(url, {}, log);
    await eventually(() => lines.some((line) => line.includes("not authorized (0x87)")));
    expect(publisher.url).toBe(broker.url);
    expect(lines.join("\n")).not.toMatch(/s3cr3t|wr0ng/);
  });

  it("a variable that is not set and a file that is not there are told before anything starts", async () => {
    const broken = (password: { env: string } | { file: string }) =>
      publish("mqtt://127.0.0.1:1", { broker: { url: "mqtt://127.0.0.1:1", password } });
    await expect(broken({ env: "NOT_SET" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(broken({ file: "/nowhere" })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });
});

describe("the embedded broker", () => {
  it("is open to the network with a password only", async () => {
    await expect(startBroker({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(startBroker({ host: "::" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await using broker = await startBroker({ host: "0.0.0.0", username: "u", password: "p" });
    const url = `mqtt://127.0.0.1:${broker.port}`;
    await expect(subscribe(url)).rejects.toThrow("Bad username or password");
    await expect(subscribe(url, "#", { username: "u", password: "q" })).rejects.toThrow("Bad username or password");
    await using right = await subscribe(url, "#", { username: "u", password: "p" });
    expect(right.client.connected).toBe(true);
  });

  it("listens on loopback alone unless told otherwise", async () => {
    await using broker = await startBroker();
    expect(broker.url).toMatch(/^mqtt:\/\/127\.0\.0\.1:/);
  });
});
