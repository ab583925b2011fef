// Short words at the lower edge of the page, some with something to do: undo, open, try again.

import { html, nothing, repeat } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { icon } from "./icons.js";
import { t } from "./texts.js";
import { report } from "./world.js";

/**
 * @typedef {object} Notice
 * @property {string} name of its kind, one of which is shown at a time: `data-notice`
 * @property {string} text
 * @property {{label: string, run: () => void}} [action]
 * @property {number} [seconds] that it stays; until somebody closes it when 0
 */

const AT_ONCE = 3; // of those that pass by themselves
const PASSING = 6; // seconds

class Toasts extends Element {
  /** @type {Notice[]} */
  #notices = [];
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  /** @param {Notice} notice */
  add(notice) {
    this.take(notice.name);
    this.#notices = [...this.#notices, notice];
    const passing = this.#notices.filter(({ seconds = PASSING }) => seconds);
    for (const { name } of passing.slice(0, -AT_ONCE)) this.take(name); // what stays until it is over stays
    const { seconds = PASSING } = notice;
    if (seconds)
      this.#timers.set(
        notice.name,
        setTimeout(() => this.take(notice.name), seconds * 1000),
      );
    this.requestUpdate();
  }

  /** @param {string} name */
  take(name) {
    clearTimeout(this.#timers.get(name));
    this.#notices = this.#notices.filter((notice) => notice.name !== name);
    this.requestUpdate();
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.classList.add("toasts");
    this.setAttribute("role", "status");
  }

  /** @override */
  draw() {
    return repeat(
      this.#notices,
      (notice) => notice.name,
      ({ name, text, action }) => html`
        <div class="toast" data-notice=${name}>
          <span>${text}</span>
          <div class="does">
            ${
              action
                ? html`<button class="button" type="button" ?data-update=${name === "update"} @click=${() => {
                    this.take(name);
                    action.run();
                  }}>${action.label}</button>`
                : nothing
            }
            <button class="button icon-only" type="button" aria-label=${t("Close")} @click=${() => this.take(name)}>${icon("close")}</button>
          </div>
        </div>
      `,
    );
  }
}

customElements.define("rc-toasts", Toasts);

/** @type {Toasts | undefined} */
let toasts;

/** @param {Notice} notice */
export function say(notice) {
  toasts ??= /** @type {Toasts} */ (document.createElement("rc-toasts"));
  // A modal sheet lies above everything that isn't in it.
  const above = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (toasts.parentElement !== above) above.append(toasts);
  toasts.add(notice);
}

/**
 * What is being written here, or null after words that it couldn't be.
 * @template T
 * @param {Promise<T>} writing
 */
export async function kept(writing) {
  try {
    return await writing;
  } catch (error) {
    report(error);
    say({ name: "failed", text: t("This couldn't be kept.") });
    return null;
  }
}

/** @param {string} name */
export const unsay = (name) => toasts?.take(name);
