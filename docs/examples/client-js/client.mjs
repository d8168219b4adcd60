// A client of gatepass's native protocol, from the sign-in to the world. The first
// time it signs in by password and has this device remembered, then, and at every
// later start, it signs in by the token that is in its device file.
//
// It takes Node.js 18, and its two packages, of the versions in package-lock.json. In
// this folder, with `gatepass dev` running:
//
//   npm ci
//   SERVER=127.0.0.1:3725 ACCOUNT=DEMO PASSWORD=DEMO node client.mjs
//
// DEVICE=device.json is what this device keeps, CODE=123456 the second factor,
// BUILD=5875 what this client runs, WORLD=1 where it goes; without it, the first
// world that takes it. UPDATES=folder is where an update goes that the server wants
// first; it is there to be run then, and this program ends with 4. What happens is a line of JSON on standard output.
// docs/native-protocol.md says what every message means, gatepass.mjs has the work.
import { createHash, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { enter, loadProtocol, Refused, signIn } from "./gatepass.mjs";

const { env } = process;
const protocol = await loadProtocol(env.PROTO ?? fileURLToPath(new URL("../../../codec/native/gatepass.proto", import.meta.url)));
const who = { account: (env.ACCOUNT ?? "DEMO").toUpperCase(), build: Number(env.BUILD ?? 5875), takesUpdates: env.UPDATES !== undefined };
const say = (event, more) => console.log(JSON.stringify({ event, ...more }));

// --- what the device keeps: who it is, and the token -------------------------

const file = env.DEVICE ?? "device.json";
let kept = existsSync(file) ? JSON.parse(readFileSync(file)) : { device: randomBytes(16).toString("hex") };
who.device = Buffer.from(kept.device, "hex");

// keep stores what the device keeps: whole or not at all, and for nobody else's eyes.
function keep(changes) {
  kept = { ...kept, ...changes };
  const f = openSync(file + ".new", "w", 0o600);
  writeSync(f, JSON.stringify(kept));
  fsyncSync(f);
  closeSync(f);
  renameSync(file + ".new", file);
}

// storedToken is for signIn. next is there before the proof is sent and until it is
// known to have been taken: if this program ends in between, it has both secrets.
function storedToken() {
  const { family, key, secret, next } = Object.fromEntries(Object.entries(kept.token).map(([k, v]) => [k, Buffer.from(v, "hex")]));
  return {
    family, key,
    prove() {
      if (next) return [next, secret, next];
      const drawn = randomBytes(32);
      keep({ token: { ...kept.token, next: drawn.toString("hex") } });
      return [secret, Buffer.alloc(32), drawn];
    },
    accepted() {
      const { next, ...rest } = kept.token;
      keep({ token: { ...rest, secret: next } });
    },
  };
}

// --- signing in --------------------------------------------------------------

const asked = { password: () => env.PASSWORD, code: () => env.CODE };

async function come() {
  if (kept.token && kept.account === who.account) {
    try {
      return await comeBy("token", { token: storedToken() });
    } catch (err) {
      if (err.result !== "RESULT_BAD_CREDENTIALS") throw err; // the token is as good as before
      keep({ token: undefined });
      say("forgotten");
    }
  }
  return comeBy("password", asked);
}

async function comeBy(way, how) {
  const session = await signIn(protocol, env.SERVER ?? "127.0.0.1:3725", who, how);
  say("signed in", { by: way });
  session.worlds = new Map();
  if (session.update) return session; // and not let in
  return keepAlive(session, session.welcome.ping_every_ms);
}

// keepAlive pings, at login servers and at gates. A ping too many does no harm, so it
// is not looked at what else was sent.
function keepAlive(session, every) {
  session.pinging = setInterval(() => session.connection.send("ping", { number: 0 }), every);
  session.connection.lostAfter(3 * every);
  return session;
}

function leave(session) {
  clearInterval(session.pinging);
  session.connection.close();
}

// update gets the file that this build has to become another one by, and signs in
// anew when the way breaks: what is there of it is kept.
async function update(session) {
  const { download } = await import("./update.mjs");
  for (let tries = 1; ; tries++) {
    try {
      session ??= await come();
      if (!session.update) throw new Error("no update is wanted any more");
      const { from_build, to_build, size, steps } = session.update;
      say("update", { from: from_build, to: to_build, size, steps });
      const file = await download(keepAlive(session, 20_000).connection, session.update, env.UPDATES, say);
      return say("updated", { file, build: to_build });
    } catch (err) {
      if (tries === 10 || !(err.retryAfter || /connection lost|ECONN/.test(err.message))) throw err;
      say("lost", { why: err.message });
      await new Promise((done) => setTimeout(done, (err.retryAfter ?? 0) + Math.random() * Math.min(1000 * 2 ** tries, 60_000)));
    } finally {
      if (session) leave(session);
      session = null;
    }
  }
}

// until returns the first message of one of those names, and does meanwhile what is
// to be done with the others: a server says what it has to say at any time.
async function until(session, ...names) {
  for (;;) {
    const m = await session.connection.receive(), body = m[m.body];
    switch (m.body) {
      case "world_snapshot":
        session.worlds = new Map(body.worlds.map((w) => [w.id, w]));
        session.version = body.version;
        say("worlds", { stale: body.stale, worlds: body.worlds });
        break;
      case "world_delta":
        if (body.from !== session.version) throw new Error("a change of another list");
        body.changed.forEach((w) => session.worlds.set(w.id, w));
        body.removed.forEach((id) => session.worlds.delete(id));
        session.version = body.to;
        say("changed", { stale: body.stale, worlds: body.changed, removed: body.removed });
        break;
      case "characters": case "queue_position": case "notice": case "pong":
        say(m.body.replace("_", " "), body);
        break;
      case "refused": case "kicked": case "going_away":
        throw new Refused(m.body, body);
    }
    if (names.includes(m.body)) return m;
  }
}

// remember asks for a token. The next sign-in is by it.
async function remember(session) {
  const secret = randomBytes(32);
  session.connection.send("remember_device", { name: "JavaScript example", verifier: createHash("sha256").update(secret).digest() });
  const { remembered } = await until(session, "remembered");
  const { family, key } = remembered;
  keep({ account: who.account, token: { family: family.toString("hex"), key: key.toString("hex"), secret: secret.toString("hex") } });
  say("remembered", { until: new Date(remembered.expires * 1000) });
}

// --- going into a world ------------------------------------------------------

async function pick(session) {
  const open = (w) => w.status === "STATUS_ONLINE" && w.address !== "";
  const world = Number(env.WORLD ?? [...session.worlds.values()].find(open)?.id ?? 0);
  session.connection.send("select_world", { world });
  const m = await until(session, "pass_issued", "select_refused");
  if (m.body === "select_refused") throw new Error(`world ${world}: ${m.select_refused.reason}`);
  return m.pass_issued;
}

async function play(session) {
  const pass = await pick(session);
  say("pass", { world: pass.world, gate: pass.address });
  const gate = keepAlive({ connection: await enter(protocol, pass, session.secret, who.build) }, session.welcome.ping_every_ms);
  try {
    // Both connections tell how far the queue is, and both have to be listened to.
    await Promise.all([until(gate, "entered"), until(session, "entered")]);
    say("entered", { world: pass.world });
    for (const peer of [gate, session]) {
      peer.connection.send("ping", { number: 7 });
      await until(peer, "pong");
    }
  } finally {
    leave(gate);
  }
}

async function main() {
  let session = await come();
  if (session.update) {
    await update(session);
    process.exitCode = 4;
    return;
  }
  try {
    await until(session, "world_snapshot");
    if (session.welcome.remembers && !kept.token) {
      await remember(session);
      leave(session);
      session = await come(); // by the token
      await until(session, "world_snapshot");
    }
    await play(session);
  } finally {
    leave(session);
  }
}

await main().catch((err) => {
  say("failed", { why: err.message, result: err.result, retry_ms: err.retryAfter });
  process.exitCode = 1;
});
