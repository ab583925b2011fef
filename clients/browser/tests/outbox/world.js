// A server that takes photos, as far as the outbox sees it, and an outbox that can be killed and begun anew.

import { SHAPES } from "../../src/database.js";
import { Http } from "../../src/http.js";
import { Images } from "../../src/images/cache.js";
import { MemoryDatabase } from "../../src/memory.js";
import { Outbox } from "../../src/outbox/outbox.js";
import { Value } from "../../src/resources.js";
import { Bus, hashOf, problem } from "../images/world.js";

const json = (body, status = 200) =>
  new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json" },
  });

export class PhotoServer {
  albums = new Map();
  photos = new Map();
  images = new Set();
  originals = new Map();
  log = [];
  isAway = false;
  processing = "ready"; // what becomes of a photo
  /** What is done with a request before (`ask`) or after (`answered`) the server saw it; may throw or answer. */
  ask = () => undefined;
  answered = () => undefined;

  fetch = async (address, { method = "GET", body, headers }) => {
    const { pathname } = new URL(address, "http://pos.example");
    if (this.isAway) throw new TypeError("Failed to fetch");
    if (pathname === "/livez") return new Response("ok\n");
    const what = `${method} ${pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")}`;
    this.log.push(what);
    const instead = await this.ask(what);
    if (instead) return instead;
    const answer = this.#answer(method, pathname, body, headers);
    return (await this.answered(what)) ?? answer;
  };

  /** The product shows this picture. */
  shows(product) {
    return [...this.photos.values()].findLast((photo) => photo.product === product && photo.status === "ready")?.sha256;
  }

  #answer(method, path, body, headers) {
    const given = typeof body === "string" ? JSON.parse(body) : body;
    const [, , kind, id, verb] = path.split("/");
    if (path === "/api/images/missing") return json({ missing: given.hashes.filter((hash) => !this.images.has(hash)) });
    if (path === "/api/images") {
      const hash = hashOf(Buffer.from(body));
      this.images.add(hash);
      return json({ hash }, 201);
    }
    if (path === "/api/albums") {
      const album = crypto.randomUUID();
      this.albums.set(album, []);
      return json({ id: album, name: given.name, counts: {} }, 201);
    }
    if (kind === "albums") {
      if (!this.albums.has(id)) return problem(404, "not_found");
      if (verb === "reconcile") return json({ checked: 0 });
      return this.#register(id, given);
    }
    if (kind === "uploads") {
      const photo = this.photos.get(id);
      if (this.originals.has(id)) return problem(412, "already_uploaded");
      if (hashOf(Buffer.from(body)) !== photo.sha256 || headers["Content-Type"] !== "image/jpeg")
        return problem(422, "checksum");
      this.originals.set(id, body);
      return new Response("");
    }
    const photo = this.photos.get(id);
    if (method === "DELETE") {
      this.photos.delete(id);
      return json(null, 204);
    }
    if (!photo) return problem(404, "not_found");
    if (verb === "process") {
      if (!this.originals.has(id)) return problem(409, "not_uploaded");
      photo.status = this.processing;
      if (photo.status === "ready") this.images.add(photo.sha256);
      return json({ id, status: "pending" }, 202);
    }
    return json({ ...photo, hash: photo.status === "ready" ? photo.sha256 : null, error: "" });
  }

  #register(album, given) {
    const known = this.photos.get(given.id);
    if (known && (known.album !== album || known.product !== given.product)) return problem(409, "conflict");
    const photo = known ?? { ...given, album, status: "pending" };
    this.photos.set(given.id, photo);
    const headers = { "Content-Type": "image/jpeg" };
    const upload = this.originals.has(given.id) ? null : { method: "PUT", url: `/api/uploads/${given.id}`, headers };
    return json({ id: given.id, status: photo.status, upload }, 201);
  }
}

/** One tab with an outbox; `kept` are the databases of an earlier life. */
export async function tabOf({
  server = new PhotoServer(),
  kept = {},
  scopes = ["read", "upload"],
  isConnected = true,
} = {}) {
  const own = kept.own ?? new MemoryDatabase("test-own", SHAPES.own);
  const pictures = kept.pictures ?? new MemoryDatabase("test-pictures", SHAPES.pictures);
  const bus = kept.bus ?? new Bus();
  const reported = [];
  const tabs = { ...bus.tab(), isConnected: () => isConnected };
  const device = new Value(scopes && { id: "d", name: "Till", scopes, last_seen: null });
  const http = new Http({ fetch: server.fetch, csrf: () => "" });
  const clock = { now: () => Date.now() };
  const surroundings = { http, own, pictures, tabs, clock, report: (error) => reported.push(error) };
  const images = new Images(surroundings, { widthOf: async ({ width }) => width });
  await images.load();
  const outbox = new Outbox({ ...surroundings, images, device, normalize: (photo) => photo.arrayBuffer() });
  await outbox.load();
  return {
    outbox,
    images,
    device,
    server,
    reported,
    kept: { own, pictures, bus },
    end: async () => {
      await outbox.close();
      await images.close();
    },
  };
}

export const photo = (text, name = "photo.jpg") => new File([text], name, { type: "image/jpeg" });
