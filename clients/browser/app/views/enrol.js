// This browser becomes a device: by the code that the admin shows, typed or from a link. Then what is fetched, by list.

import { html, nothing } from "../../vendor/lit.js";
import { Element } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { isApple, isInstalled } from "../parts/platform.js";
import { number, plural, t } from "../parts/texts.js";
import { terminal } from "../parts/world.js";
import { go, invitation } from "../router.js";

const LONGEST_NAME = 100;

const LISTS = {
  product: () => t("Products"),
  category: () => t("Categories"),
  tag: () => t("Tags"),
  attribute: () => t("Options"),
  price_rule: () => t("Price rules"),
  zone: () => t("Zones"),
  dining_table: () => t("Tables"),
};

/** Which kind of device this is, as far as a browser says. */
function proposedName() {
  const { userAgent, maxTouchPoints } = navigator;
  if (isApple()) return /iPhone|iPod/.test(userAgent) ? "iPhone" : "iPad";
  if (/Android/.test(userAgent)) return /Mobile/.test(userAgent) ? "Android phone" : "Android tablet";
  if (/Windows/.test(userAgent)) return maxTouchPoints ? "Windows till" : "Windows PC";
  return /Macintosh/.test(userAgent) ? "Mac" : "Browser";
}

class Enrol extends Element {
  #code = invitation() ?? "";
  /** @type {{code: string, text: string} | null} */
  #problem = null;
  #isBusy = false;
  /** Whether it enrolled here and now: then it shows what comes. */
  #isEnrolled = false;
  #until = 0; // milliseconds since 1970: no try before
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #second;

  /** @override */
  watched() {
    return [terminal.connection, terminal.device, ...Object.keys(LISTS).map((name) => terminal.resources[name])];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#code = invitation() ?? this.#code;
    this.#second = setInterval(() => this.#until && this.requestUpdate(), 1000);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#second);
    this.#isEnrolled = false;
  }

  /** @override */
  draw() {
    return html`<div class="page">${this.#isEnrolled ? this.#progress() : this.#form()}</div>`;
  }

  #form() {
    const seconds = Math.ceil((this.#until - Date.now()) / 1000);
    if (this.#until && seconds <= 0) {
      this.#until = 0;
      this.#problem = null;
    }
    const device = terminal.device.getSnapshot();
    const problem = this.#problem;
    const atCode = problem && problem.code !== "invalid" && problem.code !== "not_reached";
    return html`
      ${isApple() && !isInstalled() ? this.#homeScreen() : nothing}
      <form class="card-box form" novalidate @submit=${this.#submit}>
        <p>
          ${t("The admin shows a code: Devices, Enrolment codes, Add. It works once, for 15 minutes.")}
        </p>
        ${device ? html`<p class="hint">${this.#known(device.name)}</p>` : nothing}
        <div class="field">
          <label for="enrol-code">${t("Code")}</label>
          <input id="enrol-code" name="code" .value=${this.#code} required maxlength="64" autocomplete="off"
            autocapitalize="characters" spellcheck="false" enterkeyhint="next" placeholder="ABCD-EFGH"
            aria-describedby="enrol-problem" aria-invalid=${atCode ? "true" : "false"} />
          <div id="enrol-problem" role="alert">
            ${
              problem
                ? html`<p class="problem" data-problem=${problem.code}>
                    ${problem.text}
                    ${seconds > 0 ? plural("Again in {count} second.", "Again in {count} seconds.", seconds) : nothing}
                  </p>`
                : nothing
            }
          </div>
        </div>
        <div class="field">
          <label for="enrol-name">${t("Name of this device")}</label>
          <input id="enrol-name" name="name" .value=${device?.name ?? proposedName()} required maxlength=${LONGEST_NAME}
            autocomplete="off" enterkeyhint="done" />
          <p class="hint">${t("The admin lists it by this name, and can take its access away.")}</p>
        </div>
        <button id="enrol-submit" class="button primary" ?disabled=${this.#isBusy || seconds > 0}>
          ${this.#isBusy ? t("Enrolling …") : t("Enrol this device")}
        </button>
      </form>
      <p class="hint">
        ${t("Are you logged in to the admin in this browser? Then you may look without enrolling.")}
        <a href="#/menu" @click=${() => terminal.hurry()}>${t("To the menu")}</a>
      </p>
    `;
  }

  /** @param {string} name */
  #known(name) {
    const isOut = terminal.connection.getSnapshot().state === "stopped";
    return isOut
      ? t("This device was enrolled as “{name}”.", { name })
      : t("This device is enrolled as “{name}”.", { name });
  }

  #homeScreen() {
    return html`
      <div class="card-box form" data-notice="home-screen">
        <h2>${t("Put it on the home screen first")}</h2>
        <p>
          ${t(
            "Tap Share, then “Add to Home Screen”, open it from there and enrol it there. What is kept in a tab of Safari is cleared after a week without use, and the two share nothing.",
          )}
        </p>
      </div>
    `;
  }

  #progress() {
    const { missing, state } = terminal.connection.getSnapshot();
    const isUsable = !missing.includes("product");
    return html`
      <div class="card-box form" data-enrolled>
        <h2>${t("This device is enrolled as “{name}”.", { name: terminal.device.getSnapshot()?.name ?? "" })}</h2>
        <p role="status">
          ${state === "live" ? t("Everything is here.") : isUsable ? t("The menu can be used already.") : t("The menu is being fetched …")}
        </p>
        <ul>
          ${Object.entries(LISTS).map(
            ([name, said]) => html`<li class="line" data-list=${name}>
              <span>${said()}</span>
              <span>${missing.includes(name) ? "…" : html`${number(terminal.resources[name].size)} ${icon("check")}`}</span>
            </li>`,
          )}
        </ul>
        <a class="button primary" href="#/menu" aria-disabled=${isUsable ? "false" : "true"}>${t("To the menu")}</a>
      </div>
    `;
  }

  #submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const data = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const code = String(data.get("code")).trim();
    const name = String(data.get("name")).trim() || proposedName();
    this.#code = code;
    if (!code) return this.#fail("invalid_code", t("Type the code that the admin shows."));
    this.#isBusy = true;
    this.#problem = null;
    this.requestUpdate();
    try {
      await terminal.enrol(code, name);
      this.#code = "";
      this.#isEnrolled = true;
    } catch (error) {
      this.#explain(/** @type {any} */ (error));
    } finally {
      this.#isBusy = false;
      this.requestUpdate();
    }
  };

  /** @param {{code?: string, detail?: string, retryAfter?: number | null, isOurs?: boolean}} error */
  #explain({ code = "", detail, retryAfter, isOurs }) {
    if (code === "throttled") {
      this.#until = Date.now() + (retryAfter ?? 60) * 1000;
      this.#fail(code, t("Too many wrong codes came from here."));
    } else if (code === "invalid_code") {
      this.#fail(code, t("This code is wrong, was used, or is older than 15 minutes. The admin makes a new one."));
    } else if (detail || isOurs) {
      this.#fail(code, detail || t("The server couldn't do it just now."));
    } else {
      this.#fail("not_reached", t("The server wasn't reached. Is this device in the shop's network?"));
    }
  }

  /** @param {string} code @param {string} text */
  #fail(code, text) {
    this.#problem = { code, text };
    this.requestUpdate();
    this.updateComplete.then(() => /** @type {HTMLElement | null} */ (this.querySelector("#enrol-code"))?.focus());
  }

  /** @override */
  updated() {
    if (this.#isEnrolled && terminal.connection.getSnapshot().state === "live") go("menu");
  }
}

customElements.define("rc-enrol", Enrol);
