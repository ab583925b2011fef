// The menu: find, categories, cards. What a scanner types is searched for, wherever the focus is.

import { html, live, nothing, repeat } from "../../vendor/lit.js";
import { Element } from "../parts/element.js";
import { tileSize } from "../parts/grid.js";
import { icon } from "../parts/icons.js";
import { kept, say } from "../parts/notices.js";
import { ALL, FAVOURITES, RECENTLY, sessionOf } from "../parts/session.js";
import { t } from "../parts/texts.js";
import { terminal } from "../parts/world.js";

/** @typedef {import("../parts/grid.js").Grid} Grid */

class Menu extends Element {
  #isReading = false;
  #list = "";

  get session() {
    return sessionOf(terminal);
  }

  /** @override */
  watched() {
    const { resources, settings } = terminal;
    return [resources.category, settings, this.session.looked];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    addEventListener("keydown", this.#typed);
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener("keydown", this.#typed);
  }

  get #grid() {
    return /** @type {Grid | null} */ (this.querySelector("rc-grid"));
  }

  get #input() {
    return /** @type {HTMLInputElement | null} */ (this.querySelector("[data-search]"));
  }

  /** @override */
  draw() {
    this.session.read();
    return html`
      <div class="menu size-${tileSize()}">
        ${this.#find()}
        <nav class="chips" aria-label=${t("Categories")}>${this.#chips()}</nav>
        <rc-grid></rc-grid>
      </div>
    `;
  }

  #find() {
    const { session } = this;
    const { diets, allergens } = session.filters;
    return html`
      <div class="find">
        <div class="search">
          ${icon("search")}
          <input type="search" data-search aria-label=${t("Search the menu")} placeholder=${t("Search or scan")}
            autocomplete="off" autocapitalize="off" spellcheck="false" enterkeyhint="done" .value=${live(session.query)}
            @input=${(/** @type {any} */ event) => session.search(event.target.value)} @keydown=${this.#entered}
            @focus=${() => session.isFound && session.search("")} />
          ${
            session.query
              ? html`<button class="button icon-only" type="button" aria-label=${t("Clear the search")} @click=${this.#clear}>
                ${icon("close")}
              </button>`
              : nothing
          }
        </div>
        <button class="button icon-only" type="button" data-do="look" aria-label=${t("Filters and size")} @click=${openLook}>
          ${icon("filter")}${session.isFiltering ? html`<span class="badge">${diets.size + allergens.size}</span>` : nothing}
        </button>
      </div>
    `;
  }

  #chips() {
    const { session } = this;
    const press = (/** @type {string} */ list) => ({
      isPressed: !session.query.trim() && session.list === list,
      run: () => session.look(list),
    });
    const own = (/** @type {string} */ list, /** @type {unknown} */ content) => {
      const { isPressed, run } = press(list);
      return html`<button class="chip" type="button" data-list=${list} aria-pressed=${isPressed} @click=${run}>${content}</button>`;
    };
    return [
      own(ALL, html`<span>${t("All")}</span>`),
      own(FAVOURITES, html`${icon("star")}<span>${t("Favourites")}</span>`),
      own(RECENTLY, html`${icon("recent")}<span>${t("Recent")}</span>`),
      repeat(
        session.catalogue.tree,
        (entry) => entry.id,
        ({ id, name, color, depth }) => {
          const { isPressed, run } = press(id);
          return html`
            <button class="chip ${depth ? "below" : ""}" type="button" data-category=${id} aria-pressed=${isPressed}
              .style=${depth ? `--depth: ${Math.min(depth, 6)}` : ""} @click=${run}>
              <span class="dot" .style=${color ? `background: ${color}` : ""}></span><span>${name}</span>
            </button>
          `;
        },
      ),
    ];
  }

  /** @override */
  updated() {
    if (this.#list !== this.session.list) {
      this.#list = this.session.list;
      this.querySelector(".chip[aria-pressed=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    if (this.#isReading) return;
    this.#isReading = true;
    setTimeout(this.#readAhead, 500);
  }

  /** Reads the names for the search while there is nothing else to do. */
  #readAhead = () => {
    const until = performance.now() + 8;
    const isDone = this.session.index.read(terminal.resources.product.getSnapshot(), () => performance.now() > until);
    if (!isDone) setTimeout(this.#readAhead, 30);
  };

  // --- Keys ---------------------------------------------------------------------------------------------------------

  /** What is typed, or scanned, while no field has the focus is searched for. */
  #typed = (/** @type {KeyboardEvent} */ event) => {
    const at = /** @type {HTMLElement} */ (event.target);
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!at.closest?.("input, textarea, select, dialog")) this.#input?.focus();
  };

  #entered = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") return this.#clear();
    const grid = this.#grid;
    if (event.key !== "Enter" || event.isComposing || !grid) return;
    event.preventDefault();
    if (!this.session.query.trim()) return;
    grid.lay();
    const id = grid.exact ?? grid.only;
    if (!id) {
      say({
        name: "not-found",
        text: t("“{query}” isn't the number of a product.", { query: this.session.query.trim() }),
      });
      return this.#input?.select(); // the next scan replaces it
    }
    grid.add(id);
    const name = terminal.resources.product.get(id)?.name ?? "";
    if (!document.querySelector("dialog[open]")) say({ name: "added", text: t("Added: {name}", { name }), seconds: 3 });
    this.#clear();
  };

  #clear = () => {
    this.session.search("");
    this.#input?.focus();
  };
}

customElements.define("rc-menu", Menu);

// --- Filters and size -------------------------------------------------------------------------------------------------

class Look extends Element {
  /** @override */
  watched() {
    return [terminal.resources.tag, terminal.settings, sessionOf(terminal).looked];
  }

  /** @override */
  draw() {
    const session = sessionOf(terminal);
    const { diets, allergens } = session.filters;
    const names = { s: t("Small"), m: t("Medium"), l: t("Large") };
    const size = tileSize();
    return html`
      <div class="sheet-head">
        <h2 id="look-name">${t("Filters and size")}</h2>
        <button class="button icon-only" type="button" aria-label=${t("Close")} @click=${this.#close}>${icon("close")}</button>
      </div>
      <div class="sheet-body">
        <div role="group" aria-label=${t("Size of the tiles")}>
          <p class="label">${t("Size of the tiles")}</p>
          <div class="segments">
            ${Object.entries(names).map(
              ([one, name]) => html`<button type="button" data-size=${one} aria-pressed=${one === size}
                @click=${() => kept(terminal.settings.set("size", one))}>${name}</button>`,
            )}
          </div>
        </div>
        ${this.#tags("diet", t("Only what is"), diets, (chosen) => session.filter(chosen, allergens))}
        ${this.#tags("allergen", t("Nothing with"), allergens, (chosen) => session.filter(diets, chosen))}
      </div>
      <div class="sheet-foot">
        <button class="button" type="button" ?disabled=${!session.isFiltering} @click=${() => session.filter([], [])}>${t("Remove the filters")}</button>
        <button class="button primary" type="button" @click=${this.#close}>${t("Done")}</button>
      </div>
    `;
  }

  /** @param {string} kind @param {string} label @param {ReadonlySet<string>} chosen @param {(chosen: string[]) => void} choose */
  #tags(kind, label, chosen, choose) {
    const tags = terminal.resources.tag.getSnapshot().filter((tag) => tag.kind === kind);
    if (!tags.length) return nothing;
    return html`
      <div role="group" aria-label=${label}>
        <p class="label">${label}</p>
        <div class="buttons">
          ${tags.map((tag) => {
            const isChosen = chosen.has(tag.id);
            const next = isChosen ? [...chosen].filter((id) => id !== tag.id) : [...chosen, tag.id];
            return html`<button class="chip" type="button" data-tag=${tag.id} aria-pressed=${isChosen} @click=${() => choose(next)}>
              <span>${tag.name}</span>
            </button>`;
          })}
        </div>
      </div>
    `;
  }

  #close = () => this.closest("dialog")?.close();
}

customElements.define("rc-look", Look);

function openLook() {
  void openDialog(document.createElement("rc-look"), "small low", { labelledby: "look-name" });
}

/** Sheets aren't loaded at the start. @type {typeof import("../parts/dialog.js").openDialog} */
const openDialog = async (...what) => (await import("../parts/dialog.js")).openDialog(...what);
