// What all elements of the page have: stores that they watch, and an end to their errors.

import { html, LitElement } from "../../vendor/lit.js";
import { t } from "./texts.js";
import { report } from "./world.js";

/** @typedef {{subscribe: (fn: () => void) => () => void}} Watched */

/**
 * An element without a shadow: theme.css and the hooks of integrators reach all of it. It is drawn again when a store
 * of `watched` changes. What fails in `draw` is reported, and shown in its place; the rest of the page goes on.
 */
export class Element extends LitElement {
  /** @type {(() => void)[]} */
  #unsubscribe = [];

  /** @returns {Watched[]} asked whenever it is connected */
  watched() {
    return [];
  }

  /** @returns {unknown} a template */
  draw() {
    return null;
  }

  /** @override */
  createRenderRoot() {
    return this;
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#unsubscribe = this.watched().map((store) => store.subscribe(() => this.requestUpdate()));
    this.requestUpdate(); // a store may have changed while it wasn't connected
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#unsubscribe.splice(0)) end();
  }

  /** @override */
  render() {
    try {
      return this.draw();
    } catch (error) {
      report(error);
      return failed(() => this.requestUpdate());
    }
  }
}

/** @param {() => void} again */
export const failed = (again) => html`
  <div class="empty" data-failed>
    <p>${t("This part of the page has failed. The rest goes on.")}</p>
    <button class="button" type="button" @click=${again}>${t("Try again")}</button>
  </div>
`;
