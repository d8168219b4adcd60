// A game world that joins a gatepass region, with nothing but a NATS client. It
// registers, beats, and takes (claims) the session keys of clients that knock.
//
//   WORLD=7 BUS=nats://127.0.0.1:4222 CREDS=world.7.creds node world.mjs
//
// CA=ca.pem is needed where the bus is encrypted. What a game does itself is left
// out: here a client "knocks" by a line on standard input,
//
//   ACCOUNT client_seed server_seed digest      (hex, as in CMSG_AUTH_SESSION)
//
// and what came of it is a line on standard output. docs/bus-protocol.md says what every
// message means.
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { connect, credsAuthenticator, JSONCodec } from "nats";

const id = process.env.WORLD ?? "7";
const self = `world.${id}`;
const json = JSONCodec();
const hex64 = (n) => BigInt.asUintN(64, n).toString(16).padStart(16, "0");
const random64 = () => BigInt("0x" + randomBytes(8).toString("hex")) | 1n;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const bus = await connect({
  servers: process.env.BUS,
  authenticator: credsAuthenticator(readFileSync(process.env.CREDS)),
  inboxPrefix: `_INBOX.${self}`, // the only one that this node may listen to
  tls: process.env.CA ? { caFile: process.env.CA } : undefined,
  maxReconnectAttempts: -1,
});
const publish = (subject, value) => bus.publish(subject, json.encode(value));
const ask = async (subject, value) => json.decode((await bus.request(subject, json.encode(value), { timeout: 2000 })).data);
const listen = (subject, f) => bus.subscribe(subject, { callback: (err, m) => err ? console.error(String(err)) : f(json.decode(m.data), m.subject) });

// --- the list of worlds: register, beat ------------------------------------

const incarnation = hex64(random64()); // drawn anew at every start
let leaving = false;

async function register() {
  for (;;) {
    try {
      const reply = await ask(`gatepass.world.${id}.register`, {
        name: process.env.NAME ?? `World ${id}`, address: process.env.ADDRESS ?? "127.0.0.1:8085",
        kind: "pvp", category: 1, builds: [5875, 12340], region: "eu", incarnation, capacity: 1000,
      });
      if (reply.ok) return reply.heartbeat_ms;
      console.error(`refused: ${reply.reason}`);
      await sleep(reply.retry_ms ?? 5000); // else somebody has to change something first
    } catch (nobody) {
      await sleep(250 + Math.random() * 250); // no manager leads just now
    }
  }
}

function beat() {
  return ask(`gatepass.world.${id}.beat`, { incarnation, population: keys.size, queue: 0, load: 0.1, leaving });
}

async function stayRegistered() {
  for (;;) {
    const every = await register();
    hello();
    console.log("registered");
    for (let known = true; known && !leaving; await sleep(every)) {
      known = await beat().then((reply) => reply.known, () => true); // no answer: the next one
    }
    if (leaving) return;
  }
}

// --- the directory: who holds what ------------------------------------------

const keys = new Map(); // account → {key, stamp, hop, voucher}: the keys that live here
let epoch = "";

let life = random64(); // another one whenever what was said may be lost

function announce(entries) {
  for (let i = 0; i < entries.length; i += 256) {
    publish(`gatepass.directory.announce.${self}`, { incarnation: hex64(life), entries: entries.slice(i, i + 256) });
  }
}

// What happened to a key that is here. The voucher came with it, and without it the
// directory does not believe that it is.
const entry = (account, k, what) => [account, k.stamp, k.hop, what, ...(k.voucher ? [k.voucher] : [])];

// A new life with nothing in it makes the directory forget the one before; what
// is here is announced behind that.
function hello() {
  life++;
  publish(`gatepass.directory.announce.${self}`, { incarnation: hex64(life), entries: [] });
  announce([...keys].map(([account, k]) => entry(account, k, "held")));
}

(async () => {
  for await (const s of bus.status()) if (s.type === "reconnect") hello();
})();

listen("gatepass.worlds.pulse", (pulse) => {
  if (pulse.epoch <= epoch) return;
  epoch = pulse.epoch; // another manager leads, which knows of no key yet
  hello();
});

listen(`gatepass.end.${self}`, ({ account, stamp, why }) => {
  const k = keys.get(account);
  if (!k || (stamp !== "0000000000000000" && stamp !== k.stamp)) return;
  keys.delete(account);
  announce([entry(account, k, "gone")]);
  console.log(`ended ${account}: ${why}`);
});

const asked = new Map(); // tag → what takes the place
listen(`gatepass.place.${self}`, (place) => asked.get(place.tag)?.(place));

function locate(account) {
  const tag = hex64(random64());
  return new Promise((done) => {
    asked.set(tag, done);
    publish(`gatepass.directory.locate.${self}`, { account, tag, wait: true });
    setTimeout(() => done({ holder: "" }), 5000);
  }).finally(() => asked.delete(tag));
}

// --- the move: this side takes ----------------------------------------------
//
//   claim ─▶ … offer ─▶ accept ─▶ … commit ─▶ live        (refuse ends it)
//
// What gets no answer is repeated. From accept on the holder may have wiped its
// copy already, so then only commit or refuse end it. Before commit the key
// opens nothing here.

const moves = new Map(); // pass → the move under way, or how it ended
let ticket = random64(); // of each accepting, never the same again

function claim(account, holder, proof) {
  return new Promise((done) => {
    const m = { account, holder, pass: randomBytes(16).toString("hex"), stamp: hex64(0n), hop: 0, done };
    m.say = (kind, more) => publish(`gatepass.move.${holder}.${self}`, {
      kind, pass: m.pass, account, stamp: m.stamp, hop: m.hop, ...(m.ticket && { ticket: m.ticket }), ...more });
    m.again = () => m.ticket ? m.say("accept") : m.say("claim", { proof });
    m.end = (why) => {
      clearInterval(m.timer);
      clearTimeout(m.limit);
      m.ended = true;
      if (why) delete m.key;
      done(why);
      setTimeout(() => moves.delete(m.pass), 140_000); // so long the holder may ask
    };
    moves.set(m.pass, m);
    m.timer = setInterval(m.again, 200);
    m.limit = setTimeout(() => { m.say("refuse", { reason: "timeout" }); m.end("timeout"); }, 5000);
    m.again();
  });
}

listen(`gatepass.move.${self}.login.*`, (got, subject) => {
  const from = subject.split(".").slice(-2).join("."); // the bus vouches for it
  const m = moves.get(got.pass);
  if (!m || m.holder !== from) {
    if (["claim", "offer", "accept", "commit", "live", "used"].includes(got.kind)) {
      publish(`gatepass.move.${from}.${self}`, { ...got, key: undefined, proof: undefined, validity: undefined, kind: "refuse", reason: "foreign" });
    }
  } else if (got.kind === "commit" && got.ticket === m.ticket) {
    if (!m.ended) {
      // The voucher proves to the directory that the holder has handed the key over.
      keys.set(m.account, { key: m.key, stamp: m.stamp, hop: m.hop, voucher: got.voucher });
      announce([entry(m.account, keys.get(m.account), "moved")]);
      m.end();
    }
    m.say("live");
  } else if (m.ended) {
    // Late or twice; the holder knows better by now.
  } else if (got.kind === "offer" && !m.ticket) {
    Object.assign(m, { key: Buffer.from(got.key, "base64"), stamp: got.stamp, hop: got.hop, ticket: hex64(ticket++) });
    clearTimeout(m.limit);
    m.limit = setTimeout(() => { m.say("refuse", { reason: "timeout" }); m.end("timeout"); }, 140_000);
    m.again();
  } else if (got.kind === "refuse" && (!m.ticket || got.ticket === m.ticket)) {
    m.end(got.reason);
  }
});

// --- clients ------------------------------------------------------------------

async function knock(account, clientSeed, serverSeed, digest) {
  const place = await locate(account);
  if (!place.holder) return `refused ${account}: unknown`;
  if (place.holder !== self) {
    const why = await claim(account, place.holder, { world: true, client_seed: clientSeed, server_seed: serverSeed, digest });
    if (why) return `refused ${account}: ${why}`;
  }
  const want = createHash("sha1").update(account).update(Buffer.alloc(4))
    .update(clientSeed, "hex").update(serverSeed, "hex").update(keys.get(account)?.key ?? "").digest();
  return timingSafeEqual(want, Buffer.from(digest, "hex")) ? `admitted ${account}` : `refused ${account}: proof`;
}

createInterface({ input: process.stdin }).on("line", async (line) => {
  console.log(await knock(...line.trim().split(" ")));
});

async function stop() {
  leaving = true;
  await beat().catch(() => {}); // offline at once, and not only when it is missed
  await bus.drain();
  process.exit(0);
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
await stayRegistered();
