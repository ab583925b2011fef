// Between the rules and the world: asks the server what the rules want, and writes their steps.

import { Refused, UnexpectedAnswer } from "./errors.js";
import { about, changeOf, headsOf, numberOf, objectOf } from "./stream.js";

/** @import { Fetch, Row, Step } from "./types.js" */
/** @import { Http } from "./http.js" */
/** @import { Rules } from "./rules.js" */
/** @import { CopyStore } from "./store.js" */

const DELTA_LIMIT = 5000; // changes in one answer, the most that the server gives
const WHOLE = 120_000; // ms for a snapshot: 20,000 products through a slow wall

export class Settling {
  /** @param {Http} http @param {CopyStore} store */
  constructor(http, store) {
    this.http = http;
    this.store = store;
  }

  /**
   * Does what the rules want until they want nothing. What was written until it rejects stays.
   *
   * @param {Rules} rules @param {AbortSignal} signal @param {() => void} onFetch something is missing
   */
  async run(rules, signal, onFetch) {
    for (let wanted = rules.next(); wanted; wanted = rules.next()) {
      if (wanted.kind === "fetch") onFetch();
      const step = wanted.kind === "fetch" ? await this.#fetch(rules, wanted, signal) : wanted;
      signal.throwIfAborted(); // another tab is connected now
      if (step) await this.store.write(step, { isCurrent: rules.isCurrent });
    }
  }

  /** Tells the rules the heads of the server. @param {Rules} rules @param {AbortSignal} signal */
  async askStatus(rules, signal) {
    const body = objectOf(await this.http.getJson("/api/sync/status", { signal }), "a status");
    const { epoch, versions } = headsOf(body.epoch, body.versions);
    rules.status(epoch, versions);
  }

  /**
   * The step that the answer makes; null when it made none, and the rules want something else.
   *
   * @param {Rules} rules @param {Fetch} wanted @param {AbortSignal} signal @returns {Promise<Step | null>}
   */
  async #fetch(rules, { resource, since, epoch }, signal) {
    try {
      if (since === null || epoch === null) return await this.#fetchSnapshot(rules, resource, signal);
      return await this.#fetchChanges(rules, resource, since, epoch, signal);
    } catch (error) {
      if (error instanceof UnexpectedAnswer && "concerns" in error) error.concerns = resource;
      if (!(error instanceof Refused) || error.code !== "unknown_resource") throw error;
      rules.unknown(resource);
      return null;
    }
  }

  /** @param {Rules} rules @param {string} resource @param {AbortSignal} signal */
  async #fetchSnapshot(rules, resource, signal) {
    const body = await this.#ask(resource, "", { signal, timeout: WHOLE });
    if (!Array.isArray(body.items)) throw about(resource, "a snapshot without items");
    /** @type {Map<string, Row>} */
    const items = new Map();
    for (const item of body.items) {
      if (typeof item?.id !== "string" || !item.id) throw about(resource, "an object without an id");
      items.set(item.id, item);
    }
    return rules.snapshot(resource, body.epoch, numberOf(body.version, "a version"), [...items.values()]);
  }

  /** @param {Rules} rules @param {string} resource @param {number} since @param {string} epoch @param {AbortSignal} signal */
  async #fetchChanges(rules, resource, since, epoch, signal) {
    const params = { since, epoch, limit: DELTA_LIMIT };
    let body;
    try {
      body = await this.#ask(resource, "/changes", { params, signal, timeout: WHOLE });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 410) throw error;
      const { epoch: entered, version } = error.body;
      rules.gone(
        resource,
        typeof entered === "string" ? entered : null,
        Number.isSafeInteger(version) ? version : null,
      );
      return null;
    }
    if (!Array.isArray(body.changes)) throw about(resource, "a delta without changes");
    const reach = {
      since: numberOf(body.from, "from"),
      to: numberOf(body.to, "to"),
      head: numberOf(body.head, "head"),
    };
    const changes = body.changes.map((/** @type {any} */ change) => changeOf(resource, objectOf(change, "a change")));
    return rules.delta(resource, body.epoch, reach, changes);
  }

  /**
   * An answer for another resource is none of ours, whatever mixed them up.
   *
   * @param {string} resource @param {string} more @param {import("./types.js").AskOptions} options
   */
  async #ask(resource, more, options) {
    const body = objectOf(await this.http.getJson(`/api/sync/${resource}${more}`, options), "an answer");
    if (body.resource !== resource) throw about(resource, `an answer about ${body.resource} for ${resource}`);
    if (typeof body.epoch !== "string" || !body.epoch) throw about(resource, "an answer without an epoch");
    return body;
  }
}
