// The sheet of a product: large picture, what is in it, what has to be chosen; adds it to the ticket, or changes a line.

import { PictureRefused } from "../../src/errors.js";
import { decimalText, typedMoney, typedWeight } from "../../src/prices/money.js";
import { isOffered, limitsOf, optionsOf, preselected, problemsOf, toggled } from "../../src/prices/options.js";
import { amountOf, LARGEST_QUANTITY, LONGEST_NOTE, withLineTold, withMore, withNote } from "../../src/prices/ticket.js";
import { html, live, nothing } from "../../vendor/lit.js";
import { face, imageOf, priced, tile } from "../parts/card.js";
import { openDialog } from "../parts/dialog.js";
import { Element } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { changeTicket, removeLine } from "../parts/lines.js";
import { kept, say } from "../parts/notices.js";
import { sessionOf } from "../parts/session.js";
import { money, plural, t } from "../parts/texts.js";
import { report, terminal } from "../parts/world.js";

/** @import { Attribute, Offer, Option, Product, TicketLine } from "../../src/types.js" */

class Sheet extends Element {
  #hash = /** @type {string | null} */ (null);
  #endOfPicture = () => {};

  constructor() {
    super();
    this.product = "";
    /** @type {TicketLine | null} the line that is changed */
    this.line = null;
    /** @type {readonly string[] | null} */
    this.chosen = null;
    this.quantity = 1;
    this.weight = "";
    this.price = "";
    this.note = "";
    this.isPressed = false;
  }

  /** @override */
  watched() {
    const { resources, outbox, favourites, device } = terminal;
    const { product, attribute, tag } = resources;
    return [product, attribute, tag, outbox, favourites, device, sessionOf(terminal).told];
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#show(null);
  }

  /** @param {string | null} hash */
  #show(hash) {
    if (hash === this.#hash) return;
    this.#endOfPicture();
    this.#hash = hash;
    this.#endOfPicture = hash ? terminal.images.subscribe(hash, () => this.requestUpdate()) : () => {};
  }

  /** @override */
  draw() {
    const product = /** @type {Product | undefined} */ (terminal.resources.product.get(this.product));
    if (!product) return this.#gone();
    const session = sessionOf(terminal);
    const groups = session.groupsOf(product);
    this.chosen ??= preselected(groups);
    this.#show(imageOf(product));
    const url = this.#hash ? terminal.images.getSnapshot(this.#hash).url : null;
    const color = product.color || terminal.resources.category.get(product.category ?? "")?.color;
    const isFavourite = terminal.favourites.has(product.id);
    return html`
      <div class="sheet-head">
        <h2 id="sheet-name" tabindex="-1" ?autofocus=${product.price_type === "fixed" || this.line !== null}>${product.name}</h2>
        <button class="button icon-only" type="button" aria-pressed=${isFavourite} aria-label=${t("Favourite")}
          @click=${() => kept(terminal.favourites.set(product.id, !isFavourite))}>${icon("star")}</button>
        ${this.#closing()}
      </div>
      <div class="sheet-body">
        <div class="photo ${url ? "" : "tile"}" .style=${tile(color)}>${face(product, url)}</div>
        <p class="sheet-price">${priced(product)} ${this.#rules(product)}</p>
        ${product.is_sold_out ? html`<p class="problem">${t("Sold out")}</p>` : nothing}
        ${product.description ? html`<p>${product.description}</p>` : nothing}
        ${this.#tags(product)}
        ${this.#amounts(product)}
        ${groups.map((group) => this.#group(group))}
        <div class="field">
          <label for="sheet-note">${t("Note")}</label>
          <input id="sheet-note" maxlength=${LONGEST_NOTE} .value=${live(this.note)} autocomplete="off" enterkeyhint="done"
            @keydown=${this.#entered} @input=${(/** @type {any} */ event) => {
              this.note = event.target.value;
            }} />
        </div>
        ${this.#camera(product)}
        ${this.#removing()}
      </div>
      ${this.#foot(product, groups)}
    `;
  }

  #gone() {
    return html`
      <div class="sheet-head"><h2 id="sheet-name">${t("Not on the menu any more")}</h2>${this.#closing()}</div>
      <div class="empty">${icon("warning")}<p>${t("Somebody has removed this product.")}</p>${this.#removing()}</div>
    `;
  }

  /** A line can be taken off here too. */
  #removing() {
    const { line } = this;
    if (!line) return nothing;
    const remove = () => {
      this.close();
      void removeLine(sessionOf(terminal).place, line.id);
    };
    return html`<button class="button danger" type="button" data-do="remove" @click=${remove}>
      ${icon("trash")}<span>${t("Take it off the ticket")}</span>
    </button>`;
  }

  #closing() {
    return html`<button class="button icon-only" type="button" aria-label=${t("Close")} @click=${() => this.close()}>${icon("close")}</button>`;
  }

  /** @param {Product} product */
  #rules(product) {
    const { rules } = sessionOf(terminal).priceOf(product);
    return rules.map((rule) => html`<span class="tag">${rule.name}</span>`);
  }

  /** @param {Product} product */
  #tags(product) {
    const known = Array.isArray(product.tags)
      ? product.tags.map((id) => terminal.resources.tag.get(id)).filter(Boolean)
      : [];
    if (!known.length) return nothing;
    const allergens = known.filter((tag) => tag.kind === "allergen");
    const others = known.filter((tag) => tag.kind !== "allergen");
    const list = (/** @type {any[]} */ tags) =>
      html`<span class="tags">${tags.map((tag) => html`<span class="tag kind-${tag.kind}">${tag.name}</span>`)}</span>`;
    return html`
      ${others.length ? html`<div>${list(others)}</div>` : nothing}
      ${allergens.length ? html`<div><p class="label">${t("Allergens")}</p>${list(allergens)}</div>` : nothing}
    `;
  }

  /** @param {Product} product */
  #amounts(product) {
    if (product.price_type === "weight") {
      return this.#field(
        "weight",
        t("Weight in {unit}", { unit: product.unit || "kg" }),
        typedWeight(this.weight) !== null,
      );
    }
    return product.price_type === "open" ? this.#field("price", t("Price"), typedMoney(this.price) !== null) : nothing;
  }

  /** @param {"weight" | "price"} name @param {string} label @param {boolean} isGood */
  #field(name, label, isGood) {
    const isWrong = !isGood && (this.isPressed || this[name] !== "");
    return html`
      <div class="field">
        <label for="sheet-${name}">${label}</label>
        <input id="sheet-${name}" inputmode="decimal" autocomplete="off" enterkeyhint="done" ?autofocus=${this.line === null}
          .value=${live(this[name])} aria-invalid=${isWrong} @keydown=${this.#entered}
          @input=${(/** @type {any} */ event) => {
            this[name] = event.target.value;
            this.requestUpdate();
          }} />
        ${isWrong ? html`<p class="problem" data-problem=${name}>${t("A number above zero, please.")}</p>` : nothing}
      </div>
    `;
  }

  /** Enter in a field is the button below. */
  #entered = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    /** @type {HTMLElement | null} */ (this.querySelector("[data-add]"))?.click();
  };

  /** @param {Attribute} group */
  #group(group) {
    const chosen = this.chosen ?? [];
    const [problem] = problemsOf([group], chosen);
    const { least, most } = limitsOf(group);
    const isOne = group.choice === "one";
    const isWrong = problem && (this.isPressed || problem.code === "impossible" || problem.code === "not_offered");
    return html`
      <fieldset class="group ${isWrong ? "wrong" : ""}">
        <legend>${group.name} <small>${problem && isWrong ? this.#wrong(problem) : rangeOf(least, most, isOne)}${freeOf(group)}</small></legend>
        ${optionsOf(group).map((option) => {
          const isChosen = chosen.includes(option.id);
          const offered = isOffered(option);
          return html`
            <label class="option" data-option=${option.id} ?data-chosen=${isChosen} ?data-sold-out=${!offered}>
              <input type=${isOne && least > 0 ? "radio" : "checkbox"} name="group-${group.id}" .checked=${live(isChosen)}
                ?disabled=${!offered && !isChosen}
                @change=${() => {
                  this.chosen = toggled(group, this.chosen ?? [], option.id);
                  this.requestUpdate();
                }} />
              <span>${option.name}</span>
              ${offered ? html`<span>${changeOf(option)}</span>` : html`<span>${t("Sold out")}</span>`}
            </label>
          `;
        })}
      </fieldset>
    `;
  }

  /** @param {{code: string, least: number, most: number}} problem */
  #wrong({ code, least, most }) {
    if (code === "impossible") return t("Nothing that can be chosen here is left.");
    if (code === "not_offered") return t("Something chosen is sold out.");
    return code === "too_few"
      ? plural("Choose {count}.", "Choose {count}.", least)
      : plural("At most {count}.", "At most {count}.", most);
  }

  /** @param {Product} product */
  #camera(product) {
    if (!terminal.device.getSnapshot()?.scopes.includes("upload")) return nothing;
    const waiting = terminal.outbox.getSnapshot().filter((photo) => photo.product === product.id);
    const failed = waiting.find((photo) => photo.state === "failed");
    return html`
      <div>
        <label class="button">
          ${icon("camera")}<span>${t("Take a photo")}</span>
          <input class="visually-hidden" type="file" accept="image/*" capture="environment" data-photo
            @change=${(/** @type {any} */ event) => this.#take(product, event.target)} />
        </label>
        ${
          failed
            ? html`<p class="problem">${t("The photo wasn't taken by the server: {error}", { error: failed.error })}</p>`
            : waiting.length
              ? html`<p class="hint">${t("The photo waits on this device until it is sent.")}</p>`
              : nothing
        }
      </div>
    `;
  }

  /** @param {Product} product @param {HTMLInputElement} input */
  async #take(product, input) {
    const [file] = input.files ?? [];
    input.value = "";
    if (!file) return;
    try {
      await terminal.outbox.add(file, { product: product.id });
    } catch (error) {
      report(error);
      const isRefused = error instanceof PictureRefused;
      const text = isRefused ? t("This isn't a picture that can be used.") : t("This couldn't be kept.");
      say({ name: "photo", text });
    }
  }

  /** @param {Product} product @param {Attribute[]} groups */
  #foot(product, groups) {
    const told = this.#asTold();
    const offer = told ?? this.#offer(product, groups);
    const amount = offer && amountOf(offer);
    const isOffered = product.is_active !== false && (!product.is_sold_out || this.line !== null);
    const isHopeless = problemsOf(groups, this.chosen ?? []).some((problem) => problem.code === "impossible");
    const cant = !told && (!isOffered || isHopeless || sessionOf(terminal).priceOf(product).amount === null);
    const label = this.line ? t("Save") : t("Add");
    return html`
      <div class="sheet-foot">
        <div class="stepper">
          <button type="button" aria-label=${t("One less")} ?disabled=${this.quantity <= 1} @click=${() => this.#count(-1)}>${icon("minus")}</button>
          <output>${this.quantity}</output>
          <button type="button" aria-label=${t("One more")} @click=${() => this.#count(1)}>${icon("plus")}</button>
        </div>
        <button class="button primary" type="button" data-add=${amount == null ? "" : decimalText(amount * this.quantity)}
          ?disabled=${cant} @click=${() => this.#done(product, groups)}>
          <span>${label}</span>${amount == null ? nothing : html`<span>${money(amount * this.quantity)}</span>`}
        </button>
      </div>
    `;
  }

  /** @param {number} change */
  #count(change) {
    this.quantity = Math.min(Math.max(1, this.quantity + change), LARGEST_QUANTITY);
    this.requestUpdate();
  }

  /** @param {Product} product @param {Attribute[]} groups */
  #offer(product, groups) {
    const [weight, typed] = [typedWeight(this.weight), typedMoney(this.price)];
    return sessionOf(terminal).offerOf({ product, groups, chosen: this.chosen ?? [], weight, typed });
  }

  /** The line, unless it was chosen, weighed or priced anew: how many and a note change nothing that the guest was told. */
  #asTold() {
    const { line } = this;
    if (!line) return null;
    const options = line.options.map((option) => option.id);
    const isSame =
      options.length === this.chosen?.length &&
      options.every((id) => this.chosen?.includes(id)) &&
      (line.weight === null || line.weight === typedWeight(this.weight)) &&
      (line.price_type !== "open" || line.price === typedMoney(this.price));
    return isSame ? line : null;
  }

  /** @param {Product} product @param {Attribute[]} groups */
  async #done(product, groups) {
    const told = this.#asTold();
    const offer = told ?? this.#offer(product, groups);
    this.isPressed = true;
    this.requestUpdate();
    if (!told && (!offer || problemsOf(groups, this.chosen ?? []).length)) {
      await this.updateComplete;
      this.querySelector(".wrong input, [aria-invalid=true]")?.scrollIntoView({ block: "center" });
      return /** @type {HTMLElement | null} */ (
        this.querySelector(".wrong input:enabled, [aria-invalid=true]")
      )?.focus();
    }
    this.close();
    const session = sessionOf(terminal);
    const { line, quantity, note } = this;
    if (!line) {
      if (session.query) session.search(""); // it was found, and how many was said: what is looked for next is another
      return void kept(session.add(/** @type {Offer} */ (offer), { quantity, note: note.trim() }));
    }
    await changeTicket(session.place, (ticket) => {
      const next = told ? ticket : withLineTold(ticket, line.id, /** @type {Offer} */ (offer));
      return withMore(withNote(next, line.id, note.trim()), line.id, quantity - line.quantity);
    });
  }

  close() {
    this.closest("dialog")?.close();
  }
}

/** @param {number} least @param {number} most @param {boolean} isOne */
function rangeOf(least, most, isOne) {
  if (least === most && !isOne) return t("exactly {count}", { count: least });
  if (least > 0 && !isOne) return t("{least} to {most}", { least, most });
  return least > 0 ? t("required") : isOne ? t("optional") : t("up to {count}", { count: most });
}

/** @param {Attribute} group */
const freeOf = (group) => (group.free > 0 ? html`, ${plural("{count} free", "{count} free", group.free)}` : nothing);

/** @param {Option} option */
function changeOf(option) {
  const change = Number(option.price_change) * 100;
  return change ? `${change > 0 ? "+" : ""}${money(Math.round(change))}` : "";
}

customElements.define("rc-sheet", Sheet);

/**
 * @param {string} product
 * @param {TicketLine} [line] that is changed
 */
export function openSheet(product, line) {
  const sheet = /** @type {Sheet} */ (document.createElement("rc-sheet"));
  sheet.product = product;
  if (line) {
    sheet.line = line;
    sheet.chosen = line.options.map((option) => option.id);
    sheet.quantity = line.quantity;
    sheet.note = line.note;
    sheet.weight = line.weight === null ? "" : String(line.weight / 1000);
    sheet.price = decimalText(line.price);
  }
  return openDialog(sheet, "", { sheet: "", labelledby: "sheet-name" });
}
