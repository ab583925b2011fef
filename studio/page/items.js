// The history: what this page knows of it, and how it keeps up with the server.
import { Refused, ask } from "./api.js";

const SOON = 2_000;
const SELDOM = 30_000;

export const isUnderWay = (item) => item.status === "pending" || item.status === "generating";

export class Items {
  constructor(changed) {
    this.changed = changed;
    this.known = new Map();
    this.version = 0;
    this.epoch = "";
    this.offline = false;
    this.loaded = false;
    document.addEventListener("visibilitychange", () => this.look());
    window.addEventListener("focus", () => this.look());
    window.addEventListener("online", () => this.look());
  }

  newestFirst() {
    return [...this.known.values()].sort((one, other) => (one.timestamp < other.timestamp ? 1 : -1));
  }

  take(item) {
    this.known.set(item.id, item);
    this.changed();
    this.plan();
  }

  drop(id) {
    this.known.delete(id);
    this.changed();
  }

  look() {
    if (document.visibilityState !== "visible" || this.looking) return;
    this.looking = this.catchUp().finally(() => {
      this.looking = null;
      this.changed();
      this.plan();
    });
  }

  plan() {
    clearTimeout(this.timer);
    const soon = [...this.known.values()].some(isUnderWay);
    this.timer = setTimeout(() => this.look(), soon ? SOON : SELDOM);
  }

  async catchUp() {
    try {
      for (let more = true; more; ) more = await this.page();
      this.offline = false;
      this.loaded = true;
    } catch (error) {
      if (error instanceof Refused && error.status === 410) {
        this.version = 0;
        this.epoch = "";
        this.known.clear();
        return;
      }
      this.offline = true;
      this.why = error.message;
    }
  }

  // One page of what changed since; true when there is more. A list that begins at 0 is everything: the rest is gone.
  async page() {
    const query = new URLSearchParams({ since: this.version, ...(this.epoch && { epoch: this.epoch }) });
    const answer = await ask("GET", `/api/history/sync?${query}`);
    if (this.version === 0) this.known.clear();
    for (const item of answer.items) this.known.set(item.id, item);
    for (const id of answer.deleted) this.known.delete(id);
    this.version = answer.version;
    this.epoch = answer.epoch;
    return answer.version < (answer.head ?? answer.version);
  }
}
