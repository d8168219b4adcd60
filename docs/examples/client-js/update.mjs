// Updates: what a server offers in the place of Welcome to a build that is too old.
// Made from gatepass.proto and docs/native-protocol.md (Updates). A real client also
// locks the .part file, which node has no call for: do not run two in one folder.
import { createHash } from "node:crypto";
import { constants, existsSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { Refused } from "./gatepass.mjs";

const windowSize = 1 << 20;
const piece = 64 << 10; // is read at once from the disk

// plain makes a file's name of the server's word: never a path, nothing hidden, no flag.
const plain = (name) => name.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[._-]+/, "").slice(0, 64) || "update";

// check looks whether the numbers of an offer fit each other.
function check({ size, sha256, chunk_size, chunk_hashes }) {
  const chunks = Math.ceil(size / chunk_size);
  const fit = Number.isSafeInteger(size) && size > 0 && chunks <= 256 && chunk_hashes.length === 32 * chunks && sha256.length === 32;
  if (!fit) throw new Error("the server's offer makes no sense");
}

// chunkAt is the end and the hash of the chunk that byte at belongs to.
function chunkAt({ size, chunk_size, chunk_hashes }, at) {
  const n = Math.floor(at / chunk_size);
  return { end: Math.min((n + 1) * chunk_size, size), hash: chunk_hashes.subarray(32 * n, 32 * n + 32) };
}

// keepRight returns how much of the file is right, in whole chunks, and its hash so
// far, and cuts off the rest.
async function keepRight(file, offer) {
  const buffer = Buffer.alloc(piece);
  let good = 0, whole = createHash("sha256");
  while (good < offer.size) {
    const { end, hash } = chunkAt(offer, good);
    const chunk = createHash("sha256"), further = whole.copy();
    for (let at = good; at < end; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(piece, end - at), at);
      if (bytesRead === 0) break;
      for (const h of [chunk, further]) h.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    if (!chunk.digest().equals(hash)) break; // or it is not all there
    [good, whole] = [end, further];
  }
  await file.truncate(good);
  return { good, whole };
}

/**
 * download gets what the server of connection has offered into folder, and returns the
 * path of the file. What an earlier try has left there is gone on with. say(event, more)
 * is told how far it is.
 */
export async function download(connection, offer, folder, say) {
  check(offer);
  const path = join(folder, plain(offer.name));
  if (existsSync(path)) throw new Error(`${path} is in the way`);
  const { O_RDWR, O_CREAT, O_NOFOLLOW = 0 } = constants;
  const file = await open(path + ".part", O_RDWR | O_CREAT | O_NOFOLLOW, 0o644);
  try {
    const { good, whole } = await keepRight(file, offer);
    say("resumed", { at: good });
    if (good < offer.size) await receive(connection, offer, { file, good, whole }, say);
    if (!whole.digest().equals(offer.sha256)) throw new Error("the file is not the one that was offered");
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(path + ".part", path);
  return path;
}

// receive asks for the file from good on and writes it.
async function receive(connection, offer, { file, good, whole }, say) {
  connection.send("accept_update", { offset: good, window: windowSize });
  let at = good, said = good, chunk = createHash("sha256");
  while (at < offer.size) {
    let data = await next(connection, at, say);
    if (data.length === 0 || at + data.length > offer.size) throw new Error("data that cannot be");
    while (data.length > 0) {
      const { end, hash } = chunkAt(offer, at);
      const part = data.subarray(0, end - at);
      data = data.subarray(part.length);
      for (const h of [chunk, whole]) h.update(part);
      await file.write(part, 0, part.length, at);
      if ((at += part.length) < end) continue;
      if (!chunk.digest().equals(hash)) throw new Error(`a chunk that ends at ${end} is wrong`); // the next try cuts it off
      chunk = createHash("sha256");
    }
    if (at - said >= windowSize / 4 || at === offer.size) {
      connection.send("update_received", { offset: at });
      said = at;
    }
  }
}

// next is the data from at on.
async function next(connection, at, say) {
  for (;;) {
    const m = await connection.receive(), body = m[m.body];
    switch (m.body) {
      case "update_data":
        if (body.offset !== at) throw new Error("data that is not next");
        return body.data;
      case "update_queued":
        say("queued", body);
        break;
      case "pong": case "notice":
        break;
      case "refused": case "kicked": case "going_away":
        throw new Refused(m.body, body);
      default:
        throw new Error(`${m.body} ${body?.reason ?? ""}`);
    }
  }
}
