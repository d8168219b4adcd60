// The native protocol: frames, seal, sign-in, gate. Made from gatepass.proto and
// docs/native-protocol.md; names in formulas are the ones of that page. What the
// client of this example does with it is in client.mjs, and updates are in update.mjs.
import { createCipheriv, createDecipheriv, createHash, createHmac, getDiffieHellman, randomBytes, timingSafeEqual } from "node:crypto";
import { connect } from "node:net";
import { argon2id } from "hash-wasm";
import protobuf from "protobufjs";

const H = (...parts) => createHash("sha256").update(Buffer.concat(parts.map(bytes))).digest();
const bytes = (x) => (typeof x === "string" ? Buffer.from(x) : x);
const hmac = (key, ...parts) => createHmac("sha256", key).update(Buffer.concat(parts.map(bytes))).digest();
const extract = (salt, ikm) => hmac(salt, ikm);
const expand = (prk, ...info) => hmac(prk, ...info, Buffer.of(1)); // HKDF-Expand of 32 bytes is one block

// same compares two proofs without telling by its time where they differ.
const same = (a, b) => a.length === b.length && timingSafeEqual(a, b);

function check(holds, what) {
  if (!holds) throw new Error(`the server's ${what} is wrong`);
}

// --- frames ------------------------------------------------------------------

const longestFrame = 65536 + 16;

/** One connection, to a login server or to a gate. */
export class Connection {
  #socket; #chunks; #kinds;
  #got = Buffer.alloc(0); // what has come and was not read yet
  #seals = null; // the two keys and counters; null before Accepted
  transcript;

  /** kinds are the protobuf types of what goes out and what comes in. */
  static async open(address, label, kinds) {
    const colon = address.lastIndexOf(":");
    const c = new Connection();
    c.#socket = connect({ host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)), noDelay: true });
    c.#chunks = c.#socket[Symbol.asyncIterator]();
    c.#kinds = kinds;
    c.transcript = H(label); // T(0)
    await new Promise((done, failed) => c.#socket.once("connect", done).once("error", failed));
    c.#socket.on("error", () => {}); // the next receive says it
    c.lostAfter(60_000);
    return c;
  }

  /** lostAfter takes the connection for lost when it was silent for so long. */
  lostAfter(ms) {
    this.#socket.setTimeout(ms, () => this.#socket.destroy(new Error("connection lost: nothing is heard")));
  }

  close() {
    this.#socket.destroy();
  }

  /** seal makes everything from now on sealed. */
  seal(toServer, toClient) {
    this.#seals = { out: { key: toServer, count: 0n }, in: { key: toClient, count: 0n } };
  }

  /** send sends the message of that name, such as send("ping", { number: 7 }). */
  send(name, message) {
    let body = Buffer.from(this.#kinds.out.encode(this.#kinds.out.fromObject({ [name]: message })).finish());
    if (!this.#seals) this.#note(body);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length + (this.#seals ? 16 : 0));
    if (this.#seals) {
      const cipher = createCipheriv("chacha20-poly1305", this.#seals.out.key, nonce(this.#seals.out), { authTagLength: 16 });
      cipher.setAAD(length);
      body = Buffer.concat([cipher.update(body), cipher.final(), cipher.getAuthTag()]);
    }
    this.#socket.write(Buffer.concat([length, body]));
  }

  /** receive returns the next message that this client knows, { body: its name, [its name]: … }. */
  async receive() {
    for (;;) {
      const length = await this.#read(4);
      const size = length.readUInt32LE();
      if (size > longestFrame || (this.#seals && size < 16)) throw new Error(`a frame of ${size} bytes`);
      let body = await this.#read(size);
      if (this.#seals) {
        const cipher = createDecipheriv("chacha20-poly1305", this.#seals.in.key, nonce(this.#seals.in), { authTagLength: 16 });
        cipher.setAAD(length).setAuthTag(body.subarray(-16));
        body = Buffer.concat([cipher.update(body.subarray(0, -16)), cipher.final()]); // throws if it was changed
      }
      const message = this.#kinds.in.toObject(this.#kinds.in.decode(body), { enums: String, longs: Number, defaults: true, oneofs: true });
      // Accepted ends the clear part and is not in the transcript any more; nor is
      // Refused, behind which nothing comes.
      if (!this.#seals && message.body?.endsWith("challenge")) this.#note(body);
      if (message.body) return message; // else it is newer than this client: skip it
    }
  }

  #note(body) {
    this.transcript = H(this.transcript, H(body));
  }

  async #read(n) {
    while (this.#got.length < n) {
      const { value, done } = await this.#chunks.next();
      if (done) throw new Error("connection lost");
      this.#got = Buffer.concat([this.#got, value]);
    }
    const read = this.#got.subarray(0, n);
    this.#got = this.#got.subarray(n);
    return read;
  }
}

// nonce is that of the next frame of a direction.
function nonce(direction) {
  const b = Buffer.alloc(12);
  b.writeBigUInt64LE(direction.count++, 4);
  return b;
}

/** Refused says that a server or a gate does not want this client, and why. */
export class Refused extends Error {
  constructor(name, m) {
    super(`${name}: ${m.result ?? "come back later"}`);
    this.result = m.result;
    this.retryAfter = m.retry_after_ms || m.reconnect_after_ms || 0; // ms
  }
}

/** expect returns the next message, which must have that name. */
async function expect(connection, name) {
  const m = await connection.receive();
  if (["refused", "kicked", "going_away"].includes(m.body)) throw new Refused(m.body, m[m.body]);
  if (m.body !== name) throw new Error(`${m.body} came for ${name}`);
  return m[name];
}

// --- signing in --------------------------------------------------------------

const prime2048 = Buffer.from(
  "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050a37329cbb4a099ed8193e0757767a13dd52312ab4b03310dcd7f48a9da04fd50" +
  "e8083969edb767b0cf6095179a163ab3661a05fbd5faaae82918a9962f0b93b855f97993ec975eeaa80d740adbf4ff747359d041d5c33ea71d281e446b14773b" +
  "ca97b43a23fb801676bd207a436c6481f1d2b9078717461a5b9d32e688f87748544523b524b0d57d5ea77a2775d2ecfa032cfbdbf52fb3786160279004e57ae6" +
  "af874e7303ce53299ccc041c7bc308d82a5698f3a8d0c38271ae35f8e9dbfbb694b5c803d89f7ae435de236d525f54759b65e372fcd68ef20fa7111f9e4aff73", "hex");

// The two larger groups have the primes of two groups that node knows.
const groups = {
  2048: { prime: prime2048, g: 2n },
  3072: { prime: getDiffieHellman("modp15").getPrime(), g: 5n },
  4096: { prime: getDiffieHellman("modp16").getPrime(), g: 5n },
};

const number = (b) => BigInt("0x" + b.toString("hex"));
const mod = (a, n) => ((a % n) + n) % n;

// power is base^exponent mod n. Its time tells something of the exponent: a client
// that shares its machine with others takes a library's instead.
function power(base, exponent, n) {
  let result = 1n;
  for (base = mod(base, n); exponent > 0n; exponent >>= 1n, base = (base * base) % n) {
    if (exponent & 1n) result = (result * base) % n;
  }
  return result;
}

/** srp answers a PasswordChallenge: what to send, what to expect, and S. */
export async function srp(account, password, challenge) {
  const { group, salt, kdf, public_key } = challenge;
  check(groups[group], "group");
  const { prime, g } = groups[group], N = number(prime), B = number(public_key);
  const pad = (n) => Buffer.from(n.toString(16).padStart(prime.length * 2, "0"), "hex");
  check(public_key.length === prime.length && B % N !== 0n && salt.length === 32, "challenge");
  // Too little would make guesses cheap for a false server, too much is for it to waste.
  check(kdf.memory_kib >= 8 << 10 && kdf.memory_kib <= 256 << 10 && kdf.passes >= 1 && kdf.passes <= 16
    && kdf.memory_kib * kdf.passes <= 1 << 20 && kdf.lanes >= 1 && kdf.lanes <= 16, "price of a guess");
  const I = account.replace(/[a-z]/g, (c) => c.toUpperCase());
  const x = number(Buffer.from(await argon2id({
    password: `${I}:${password}`, salt, memorySize: kdf.memory_kib, iterations: kdf.passes, parallelism: kdf.lanes,
    hashLength: 32, outputType: "binary",
  })));
  const a = number(randomBytes(32)), A = power(g, a, N);
  const k = number(H(prime, pad(g))), u = number(H(pad(A), pad(B)));
  check(u !== 0n, "key");
  const S = pad(power(B - k * power(g, x, N), a + u * x, N)), K = H(S);
  const xor = H(prime).map((b, i) => b ^ H(Buffer.of(Number(g)))[i]);
  const M1 = H(xor, H(I), salt, pad(A), pad(B), K);
  return { send: { public_key: pad(A), proof: M1 }, M2: H(pad(A), M1, K), S };
}

/** Reads gatepass.proto. */
export async function loadProtocol(file) {
  const types = new protobuf.Root();
  await types.load(file, { keepCase: true });
  const type = (name) => types.lookupType(`gatepass.v1.${name}`);
  return {
    login: { out: type("ClientFrame"), in: type("ServerFrame") },
    gate: { out: type("GateClientFrame"), in: type("GateServerFrame") },
  };
}

/**
 * signIn signs in and returns the connection up to Welcome, and the session secret.
 * who is { account, build, device, takesUpdates }. With the last one an update may be
 * there in the place of welcome. A proof of the token, { family, prove }, is
 * taken if there is one, else password() and, if a factor is wanted, code(factor)
 * are asked.
 */
export async function signIn(protocol, address, who, { token, password, code }) {
  const c = await Connection.open(address, "gatepass v1 login", protocol.login);
  try {
    const own = randomBytes(32);
    c.send("sign_in", { version: 1, account: who.account, nonce: own, build: who.build, device: who.device, token_family: token?.family, takes_updates: who.takesUpdates });
    const challenge = await expect(c, token ? "token_challenge" : "password_challenge");
    check(challenge.nonce.length === 32, "nonce");
    const salt = Buffer.concat([own, challenge.nonce]);
    let prk, proof; // proof is what the server must show
    if (token) {
      const [P, fallback, next] = token.prove();
      const plain = Buffer.concat([P, fallback, H(next)]);
      const key = expand(extract(salt, token.key), "gatepass v1 token proof");
      const cipher = createCipheriv("chacha20-poly1305", key, Buffer.alloc(12), { authTagLength: 16 }).setAAD(c.transcript);
      c.send("token_proof", { sealed: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) });
      prk = extract(salt, Buffer.concat([token.key, plain]));
      proof = expand(prk, "gatepass v1 server proof", c.transcript);
    } else {
      const answer = await srp(who.account, await password(), challenge);
      c.send("password_proof", answer.send);
      prk = extract(salt, answer.S);
      proof = answer.M2;
    }
    check(same((await expect(c, "accepted")).proof, proof), "proof");
    c.seal(expand(prk, "gatepass v1 to server", c.transcript), expand(prk, "gatepass v1 to client", c.transcript));
    const secret = expand(prk, "gatepass v1 session", c.transcript);
    token?.accepted();
    let m = await c.receive();
    if (m.body === "factor_wanted") {
      c.send("factor_code", { code: await code(m.factor_wanted.factor) });
      m = await c.receive();
    }
    if (m.body === "update_offered") return { connection: c, update: m.update_offered };
    if (m.body !== "welcome") throw new Refused(m.body, m[m.body]);
    return { connection: c, secret, welcome: m.welcome };
  } catch (err) {
    c.close();
    throw err;
  }
}

/** enter shows a pass (PassIssued) at its gate and returns the connection, in the queue or in the world. */
export async function enter(protocol, pass, secret, build) {
  const c = await Connection.open(pass.address, "gatepass v1 gate", protocol.gate);
  try {
    const challenge = await expect(c, "challenge");
    check(challenge.version === 1 && challenge.world === pass.world && challenge.nonce.length === 32, "challenge");
    const own = randomBytes(32), world = Buffer.of(pass.world);
    const key = expand(secret, "gatepass v1 pass", world, pass.pass);
    const proof = (label) => hmac(key, label, world, pass.pass, challenge.nonce, own);
    c.send("hello", { version: 1, pass: pass.pass, nonce: own, proof: proof("gatepass v1 gate client"), build });
    check(same((await expect(c, "accepted")).proof, proof("gatepass v1 gate server")), "proof");
    const prk = extract(Buffer.concat([own, challenge.nonce]), key);
    c.seal(expand(prk, "gatepass v1 to server", c.transcript), expand(prk, "gatepass v1 to client", c.transcript));
    return c;
  } catch (err) {
    c.close();
    throw err;
  }
}
