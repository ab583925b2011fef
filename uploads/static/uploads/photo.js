// One photo on its way: chosen → queued → sending → processing → ready, or failed with a reason and another try.
import { Lost, Refused, ask, newId, put, sha256 } from "./api.js";
import { facts, text } from "./facts.js";

export class Photo {
  constructor(file, changed) {
    this.file = file;
    this.id = newId();
    this.changed = changed;
    this.product = null; // { id, name, sku, image }
    this.by = "";
    this.state = "waiting";
    this.reason = "";
    this.progress = 0;
    this.mayRetry = false;
    this.isThere = false; // the server has the bytes
    this.type = typeOf(file);
    if (!this.type) this.refuse("not_a_picture");
    else if (file.size > facts.limit) this.refuse("over_limit");
    else if (!file.size) this.refuse("empty");
  }

  get isUnderWay() {
    return ["queued", "sending", "processing", "again", "cleaning"].includes(this.state);
  }

  get mayChooseProduct() {
    return this.state === "waiting";
  }

  become(state, values = {}) {
    Object.assign(this, { state, reason: "", progress: 0, mayRetry: false, ...values });
    this.changed(this);
  }

  refuse(name) {
    this.become("failed", { reason: text(name) });
  }

  fail(reason, mayRetry = true) {
    this.become("failed", { reason, mayRetry });
  }

  // Registers, sends and has it processed. Every step may be repeated under the same id, so another try begins here.
  async send(album) {
    this.become("sending");
    try {
      if (!(this.isThere && await this.process(album))) {
        await this.deliver(album);
        this.isThere = await this.process(album);
        if (!this.isThere) throw new Lost("the bytes are gone again");
      }
      this.become("processing");
    } catch (error) {
      await this.cleanUp(error);
    }
  }

  async deliver(album) {
    const { upload } = await ask("POST", `/api/albums/${album}/photos`, {
      id: this.id,
      filename: this.file.name,
      content_type: this.type,
      size: this.file.size,
      sha256: await sha256(this.file),
      product: this.product?.id ?? null,
    });
    if (upload) await put(upload, this.file, (progress) => this.become("sending", { progress }));
  }

  // False: the server has no bytes of it. When the answer is lost the bytes are safe: reconciling the album finishes
  // what we began.
  async process(album) {
    try {
      await ask("POST", `/api/photos/${this.id}/process`);
    } catch (error) {
      if (error instanceof Lost) await ask("POST", `/api/albums/${album}/reconcile`);
      else if (error.status === 404 || error.code === "not_uploaded") return false;
      else throw error;
    }
    return true;
  }

  async cleanUp(error) {
    this.become("cleaning");
    this.isThere = false;
    let cleaned = true;
    try {
      await ask("DELETE", `/api/photos/${this.id}`, undefined, { tries: 3 });
    } catch {
      cleaned = false;
    }
    if (error instanceof Refused) this.fail(text("refused", { reason: error.message }));
    else this.fail(text(cleaned ? "lost" : "unclean"));
  }

  // What the server says about it now; undefined: it has no such photo.
  hear(said) {
    if (!["processing", "again"].includes(this.state)) return;
    if (!said) {
      this.isThere = false;
      this.fail(text("gone"));
    } else if (said.status === "ready") {
      this.become("ready", { hash: said.hash });
    } else if (said.status === "failed") {
      this.fail(facts.texts[said.error] ?? text("processing_failed"), !facts.final.includes(said.error));
    } else if (said.error && this.state !== "again") {
      this.become("again");
    }
  }
}

// The type that browsers know, or that the suffix promises; "" for what is no picture.
function typeOf(file) {
  if (Object.values(facts.types).includes(file.type)) return file.type;
  const suffix = file.name.slice(file.name.lastIndexOf(".")).toLowerCase();
  return facts.types[suffix] ?? "";
}
