// The cards of what is looked at. Only the rows near the view are in the page. A tap adds, a long press opens the sheet.

import { html, nothing, repeat } from "../../vendor/lit.js";
import "./card.js";
import { Element } from "./element.js";
import { icon } from "./icons.js";
import { columnsIn, layRows, rowsBetween } from "./layout.js";
import { kept } from "./notices.js";
import { FAVOURITES, RECENTLY, sessionOf } from "./session.js";
import { plural, t } from "./texts.js";
import { terminal } from "./world.js";

/** @typedef {import("./layout.js").Row} Row */
/** @typedef {import("./catalogue.js").Section} Section */
/** @typedef {HTMLElement & {product: string, feel: () => void}} Card */

/** A card's narrowest width and its height, in rem. */
const SIZES = { s: { width: 6.5, height: 8.75 }, m: { width: 9.25, height: 12 }, l: { width: 15, height: 15 } };
const [HEADING, GAP] = [2.5, 0.625]; // rem
const NEAR = 500; // pixels above and below the view that are drawn too
const LONG = 450; // ms of a press
const SLIP = 10; // pixels that a finger may move in a press

/** @returns {keyof typeof SIZES} of the tiles */
export function tileSize() {
  const { size } = terminal.settings.getSnapshot();
  return size in SIZES ? size : "m";
}

export class Grid extends Element {
  /** The product whose number was searched for. @type {string | null} */
  exact = null;
  found = 0;
  /** @type {Row[]} */
  #rows = [];
  #height = 0;
  #columns = 1;
  #range = [0, 0];
  #scroll = 0;
  /** @type {readonly unknown[]} what the rows were laid from */
  #laid = [];
  #resize = new ResizeObserver(() => this.requestUpdate());
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #press;
  #pressed = { x: 0, y: 0, wasLong: false };

  constructor() {
    super();
    this.addEventListener("scroll", this.#scrolled, { passive: true });
    this.addEventListener("click", this.#clicked);
    this.addEventListener("contextmenu", this.#asked);
    this.addEventListener("pointerdown", this.#down);
    this.addEventListener("pointermove", this.#moved);
    for (const end of ["pointerup", "pointercancel"]) this.addEventListener(end, () => clearTimeout(this.#press));
  }

  get session() {
    return sessionOf(terminal);
  }

  /** @override */
  watched() {
    const { resources, settings, favourites, connection } = terminal;
    return [
      resources.product,
      resources.category,
      resources.tag,
      settings,
      favourites,
      connection,
      this.session.looked,
    ];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.classList.add("cards");
    this.#resize.observe(this);
    void this.updateComplete.then(() => {
      this.scrollTop = this.#scroll; // where it was when a person left
    });
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resize.disconnect();
    clearTimeout(this.#press);
  }

  /** @override */
  draw() {
    this.lay();
    const { found, session } = this;
    return html`
      <p class="visually-hidden" role="status">
        ${session.query.trim() ? plural("{count} found", "{count} found", found) : nothing}
      </p>
      ${this.#rows.length ? this.#canvas() : this.#empty()}
    `;
  }

  #canvas() {
    const rows = this.#rows.slice(...this.#range);
    const place = [
      `transform: translateY(${rows[0]?.top ?? 0}px)`,
      `gap: ${GAP}rem`,
      `grid-template-columns: repeat(${this.#columns}, minmax(0, 1fr))`,
      `grid-template-rows: ${rows.map((row) => `${row.height}px`).join(" ")}`,
    ];
    return html`
      <div class="canvas" .style=${`height: ${this.#height}px`}>
        <div class="window" .style=${place.join(";")}>
          ${repeat(
            rows.flatMap((row) => /** @type {(string | Section)[]} */ (row.heading ? [row.heading] : row.items)),
            (item) => (typeof item === "string" ? item : `heading ${item.id}`),
            (item) =>
              typeof item === "string"
                ? html`<rc-card .product=${item}></rc-card>`
                : html`<h2><span>${item.name || t("Other")}</span></h2>`,
          )}
        </div>
      </div>
    `;
  }

  #empty() {
    const { session } = this;
    if (!terminal.resources.product.size) {
      const { state, missing } = terminal.connection.getSnapshot();
      if (state === "live" && !missing.includes("product")) {
        return empty("menu", t("The menu is empty."), t("Products appear here as soon as somebody writes them."));
      }
      if (state === "connecting" || state === "catching up") return empty("refresh", t("The menu is coming …"));
      return empty("offline", t("There is no menu here yet."), t("It comes as soon as the server is reached."));
    }
    if (session.isFiltering)
      return empty("filter", t("Nothing fits the filters."), "", [
        t("Remove the filters"),
        () => session.filter([], []),
      ]);
    if (session.query.trim())
      return empty("search", t("Nothing found."), t("Names, numbers and tags of the whole menu are searched."));
    if (session.list === FAVOURITES)
      return empty("star", t("No favourites yet."), t("Press a product long, and tap the star."));
    if (session.list === RECENTLY)
      return empty("recent", t("Nothing yet."), t("What you add to a ticket is found here."));
    return empty("menu", t("Nothing in here."));
  }

  // --- Rows ---------------------------------------------------------------------------------------------------------

  /** Lays the rows anew when what they are made of is another one. */
  lay() {
    const { session } = this;
    session.read();
    const size = tileSize();
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    const width = this.#width();
    this.#columns = columnsIn(width, SIZES[size].width * rem, GAP * rem);
    const look = [session.list, session.query.trim(), session.filters];
    // Searching and filtering look into products, the rest only at their order.
    const products = look[1] || session.isFiltering ? terminal.resources.product.getSnapshot() : null;
    const own = [terminal.favourites.getSnapshot(), session.recent];
    const laid = [...look, session.catalogue.version, products, ...own, this.#columns, size, rem];
    if (laid.every((one, at) => one === this.#laid[at])) return this.#see();
    if (look.some((one, at) => one !== this.#laid[at])) this.scrollTop = this.#scroll = 0;
    this.#laid = laid;
    const tile = (width + GAP * rem) / this.#columns - GAP * rem;
    /** @type {any} */ (terminal.images).setTileWidth(tile * devicePixelRatio);
    const { sections, exact } = session.shown();
    const measures = { columns: this.#columns, card: SIZES[size].height * rem, heading: HEADING * rem, gap: GAP * rem };
    const { rows, height } = layRows(sections, measures);
    [this.#rows, this.#height, this.exact] = [rows, height, exact];
    this.found = sections.reduce((sum, section) => sum + section.items.length, 0);
    this.#see();
  }

  /** The one product that is shown, if it is one. */
  get only() {
    return this.found === 1 ? (this.#rows[0]?.items[0] ?? null) : null;
  }

  #width() {
    const style = getComputedStyle(this);
    return this.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight);
  }

  /** Which rows are near the view. */
  #see() {
    const high = this.clientHeight || innerHeight;
    this.#range = rowsBetween(this.#rows, this.#scroll - NEAR, this.#scroll + high + NEAR);
  }

  #scrolled = () => {
    this.#scroll = this.scrollTop;
    const [from, to] = this.#range;
    this.#see();
    if (from !== this.#range[0] || to !== this.#range[1]) this.requestUpdate();
  };

  // --- Fingers ------------------------------------------------------------------------------------------------------

  /** Adds a product, or asks what it needs. @param {string} id @param {Card | null} [card] */
  add(id, card) {
    const product = terminal.resources.product.get(id);
    if (!product) return;
    const { session } = this;
    const offer = session.isAsked(product) ? null : session.offerOf({ product });
    if (!offer) return void showSheet(id);
    card?.feel();
    if (card) /** @type {HTMLElement | null} */ (document.querySelector("[data-search]:focus"))?.blur(); // or a phone's keyboard stays
    void kept(session.add(offer));
  }

  #clicked = (/** @type {MouseEvent} */ event) => {
    const card = cardOf(event);
    if (!card) return;
    const wasLong = this.#pressed.wasLong && event.detail > 0; // a key's click has no detail
    this.#pressed.wasLong = false;
    if (wasLong) return;
    if (/** @type {HTMLElement} */ (event.target).closest(".card-info")) void showSheet(card.product);
    else this.add(card.product, card);
  };

  /** A long press, where the system says so. */
  #asked = (/** @type {MouseEvent} */ event) => {
    const card = cardOf(event);
    if (!card) return;
    event.preventDefault();
    this.#open(card);
  };

  #down = (/** @type {PointerEvent} */ event) => {
    clearTimeout(this.#press);
    const card = cardOf(event);
    this.#pressed = { x: event.clientX, y: event.clientY, wasLong: false };
    if (card && event.isPrimary && event.button === 0) this.#press = setTimeout(() => this.#open(card), LONG);
  };

  #moved = (/** @type {PointerEvent} */ event) => {
    if (Math.hypot(event.clientX - this.#pressed.x, event.clientY - this.#pressed.y) > SLIP) clearTimeout(this.#press);
  };

  /** @param {Card} card */
  #open(card) {
    clearTimeout(this.#press);
    if (this.#pressed.wasLong) return;
    this.#pressed.wasLong = true;
    void showSheet(card.product);
  }
}

/** @param {Event} event @returns {Card | null} */
const cardOf = (event) => /** @type {HTMLElement} */ (event.target).closest("rc-card");

/**
 * @param {import("./icons.js").IconName} drawn
 * @param {string} title
 * @param {string} [text]
 * @param {[string, () => void]} [action]
 */
const empty = (drawn, title, text, action) => html`
  <div class="empty">
    ${icon(drawn)}<strong>${title}</strong>
    ${text ? html`<p>${text}</p>` : nothing}
    ${action ? html`<button class="button" type="button" @click=${action[1]}>${action[0]}</button>` : nothing}
  </div>
`;

customElements.define("rc-grid", Grid);

/** The sheet isn't loaded at the start. @param {string} product */
const showSheet = async (product) => (await import("../views/sheet.js")).openSheet(product);
