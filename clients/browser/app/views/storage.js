// What this device keeps, how much of it, and what for.

import { html, nothing } from "../../vendor/lit.js";
import { openDialog } from "../parts/dialog.js";
import { Element } from "../parts/element.js";
import { kept, say } from "../parts/notices.js";
import { overHttp } from "../parts/platform.js";
import { bytes, number, plural, t } from "../parts/texts.js";
import { report, terminal } from "../parts/world.js";

/** @typedef {import("../../src/types.js").StorageUsage} StorageUsage */
/** @typedef {import("../../src/types.js").ImageUsage} ImageUsage */

const MB = 1e6;
const OFTEN = 2000; // ms between two looks while pictures come
const BUDGETS = [50, 100, 250, 500, 1000, 2000]; // MB

const CHOICES = /** @type {const} */ ({
  everything: () => t("Everything"),
  favourites: () => t("Favourites"),
  recent: () => t("Recently used"),
  nothing: () => t("Nothing"),
});

const STATES = {
  complete: () => "",
  downloading: () => t("Downloading …"),
  paused: () => t("Paused."),
  waiting: () => t("Waiting for the network."),
  full: () => t("There is no room for the rest: allow more, or keep fewer."),
};

class Storage extends Element {
  /** @type {StorageUsage | null} */
  #usage = null;
  /** @type {ImageUsage | null} */
  #images = null;
  #counted = terminal.pictures.getSnapshot(); // when #images were
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  /** @override */
  watched() {
    return [terminal.pictures, terminal.outbox, terminal.tickets, terminal.favourites];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    void this.#measure();
    this.#timer = setInterval(this.#count, OFTEN);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  #measure = async () => {
    try {
      [this.#usage, this.#images] = await Promise.all([terminal.usage(), terminal.images.usage()]);
    } catch (error) {
      report(error);
    }
    this.requestUpdate();
  };

  /** While pictures come; to measure the rest reads all of it. */
  #count = async () => {
    const { pictures, images } = terminal;
    if (this.#counted === pictures.getSnapshot()) return;
    this.#counted = pictures.getSnapshot();
    this.#images = (await images.usage().catch(report)) ?? this.#images;
    this.requestUpdate();
  };

  /** @override */
  draw() {
    return html`
      <div class="page">
        ${overHttp()}
        <h2>${t("Pictures without the network")}</h2>
        ${this.#offline()}
        <h2>${t("Used on this device")}</h2>
        ${this.#used()}
        <div class="card-box">
          ${this.#protection()}
          <div class="line">
            <span>${t("Pictures that no product shows any more")}</span>
            <button class="button" type="button" data-do="clean-up" @click=${this.#cleanUp}>${t("Clean up")}</button>
          </div>
          <div class="line">
            <span>${t("Everything that is kept here")}</span>
            <button class="button danger" type="button" data-do="clear" @click=${this.#askToClear}>${t("Clear everything")}</button>
          </div>
        </div>
      </div>
    `;
  }

  #offline() {
    const { mode, state, stored, wanted } = terminal.pictures.getSnapshot();
    const isPaused = state === "paused";
    const set = (/** @type {string} */ name, /** @type {any} */ value) => () =>
      kept(terminal.settings.set(name, value));
    return html`
      <div class="card-box">
        <div class="line">
          <div class="segments many" role="group" aria-label=${t("Kept offline")}>
            ${Object.entries(CHOICES).map(
              ([name, said]) => html`<button type="button" data-offline=${name} aria-pressed=${mode === name}
                @click=${set("offline", name)}>${said()}</button>`,
            )}
          </div>
        </div>
        <div class="line">
          <span data-kept="${stored}/${wanted}">
            ${t("{stored} of {wanted} pictures are here.", { stored: number(stored), wanted: number(wanted) })}
            ${STATES[state]()}
          </span>
          ${
            state === "complete"
              ? nothing
              : html`<button class="button" type="button" data-do="pause" @click=${set("offline_paused", isPaused ? undefined : true)}>
                ${isPaused ? t("Go on") : t("Pause")}
              </button>`
          }
        </div>
        ${wanted > 0 ? html`<div class="line whole"><progress max=${wanted} .value=${stored} aria-label=${t("Pictures")}></progress></div>` : nothing}
      </div>
    `;
  }

  #used() {
    const usage = this.#usage;
    const images = this.#images;
    if (!usage || !images) return html`<div class="card-box"><p class="line hint">${t("Counting …")}</p></div>`;
    const { quota, used } = usage;
    const rows = [
      [t("Menu, tables, prices"), bytes(usage.data)],
      [plural("{count} picture", "{count} pictures", images.count), bytes(images.bytes)],
      [t("Photos to be sent"), bytes(usage.photos)],
    ];
    if (quota) {
      rows.push([t("The browser allows"), t("{used} of {quota}", { used: bytes(used ?? 0), quota: bytes(quota) })]);
    }
    return html`
      <dl class="card-box facts">
        ${rows.map(([name, value]) => html`<div class="line"><dt>${name}</dt><dd>${value}</dd></div>`)}
      </dl>
      <div class="card-box">
        <div class="line">
          <label for="budget">${t("Pictures may use at most")}</label>
          <select id="budget" data-budget @change=${this.#setBudget}>
            ${[...new Set([...BUDGETS, Math.round(images.budget / MB)])]
              .sort((one, other) => one - other)
              .map(
                (size) =>
                  html`<option value=${size} ?selected=${size * MB === images.budget}>${bytes(size * MB)}</option>`,
              )}
          </select>
        </div>
      </div>
    `;
  }

  #protection() {
    const isPersistent = this.#usage?.isPersistent ?? null;
    if (isPersistent === null) return nothing;
    return html`
      <div class="line">
        <span>
          ${
            isPersistent
              ? t("The browser doesn't clear this by itself.")
              : t("The browser may clear this by itself when the disk is full.")
          }
        </span>
        ${isPersistent ? nothing : html`<button class="button" type="button" data-do="protect" @click=${this.#protect}>${t("Protect from being cleared")}</button>`}
      </div>
    `;
  }

  #protect = async () => {
    const isProtected = await navigator.storage.persist().catch(() => false);
    const refused = t("The browser refused. It does so until the terminal is installed, or used more often.");
    say({ name: "protect", text: isProtected ? t("Protected.") : refused });
    await this.#measure();
  };

  #setBudget = async (/** @type {Event} */ event) => {
    const size = Number(/** @type {HTMLSelectElement} */ (event.target).value);
    await kept(terminal.settings.set("picture_budget", size * MB));
    await this.#measure();
  };

  #cleanUp = async () => {
    try {
      const { removed_count: count, freed_bytes: freed } = await terminal.images.cleanupUnused(shown());
      const text = plural(
        "{count} picture removed, {freed} freed.",
        "{count} pictures removed, {freed} freed.",
        count,
        {
          freed: bytes(freed),
        },
      );
      say({ name: "cleaned-up", text });
    } catch (error) {
      report(error);
      say({ name: "failed", text: t("This didn't work.") });
    }
    await this.#measure();
  };

  #askToClear = () => {
    const question = document.createElement("rc-clear");
    openDialog(question, "small", { labelledby: "clear-name" }).then(this.#measure, report);
  };
}

/** The pictures of products that are on the menu, now or again. */
const shown = () =>
  new Set(
    terminal.resources.product.getSnapshot().flatMap(({ image }) => (/^[0-9a-f]{64}$/.test(image) ? [image] : [])),
  );

/** Asks before all of it goes, and names what nobody else has. */
class Clear extends Element {
  #isBusy = false;

  /** @override */
  draw() {
    const { tickets, favourites, outbox } = terminal;
    const [open, liked, unsent] = [tickets, favourites, outbox].map((store) => store.getSnapshot().length);
    const lost = [
      open && plural("{count} ticket", "{count} tickets", open),
      liked && plural("{count} favourite", "{count} favourites", liked),
      unsent && plural("{count} photo that wasn't sent", "{count} photos that weren't sent", unsent),
      t("the settings of this device"),
    ].filter(Boolean);
    return html`
      <div class="sheet-head"><h2 id="clear-name">${t("Clear everything?")}</h2></div>
      <div class="sheet-body">
        <p>${t("This exists on this device only, and will be lost:")}</p>
        <ul class="card-box">${lost.map((one) => html`<li class="line">${one}</li>`)}</ul>
        <p class="hint">${t("The menu and its pictures are fetched again. The device stays enrolled.")}</p>
      </div>
      <div class="sheet-foot buttons">
        <button class="button" type="button" @click=${this.#close}>${t("Keep it")}</button>
        <button class="button danger" type="button" data-do="clear-now" ?disabled=${this.#isBusy} @click=${this.#clear}>${t("Clear everything")}</button>
      </div>
    `;
  }

  #close = () => this.closest("dialog")?.close();

  #clear = async () => {
    this.#isBusy = true;
    this.requestUpdate();
    try {
      await terminal.clearEverything();
    } catch (error) {
      report(error);
      say({ name: "failed", text: t("This didn't work.") });
    }
    this.#close();
  };
}

customElements.define("rc-storage", Storage);
customElements.define("rc-clear", Clear);
