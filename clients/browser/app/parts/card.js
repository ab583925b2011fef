// The card of one product. It alone is drawn again when its product, its price or its picture changes.

import { decimalText } from "../../src/prices/money.js";
import { html, nothing } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { sessionOf } from "./session.js";
import { money, t } from "./texts.js";
import { terminal } from "./world.js";

/** @import { Product } from "../../src/types.js" */

const COLOR = /^#[0-9a-f]{6}$/i;

/**
 * A tile in the product's colour, with letters that can be read on it; empty for what is no colour.
 * @param {unknown} color
 * @returns {string} for an element's `.style`
 */
export function tile(color) {
  if (typeof color !== "string" || !COLOR.test(color)) return "";
  const [red, green, blue] = [1, 3, 5].map((at) => (Number.parseInt(color.slice(at, at + 2), 16) / 255) ** 2.2);
  const isLight = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18;
  return `background-color: ${color}; color: ${isLight ? "#1f1b18" : "#ffffff"}`;
}

/**
 * One or two letters that stand for a name.
 * @param {string} name
 */
export function initials(name) {
  const [first = "", second = ""] = String(name)
    .split(/[\s\-–/.,:;()&+*'"]+/)
    .filter(Boolean);
  if (/^[\u3400-\u9fff]/.test(first)) return [...first].slice(0, 2).join("");
  return [first, second]
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}

/**
 * The picture of a product as it is known here: a photo that waits to be sent counts already.
 * @param {Product} product
 */
export function imageOf(product) {
  const waiting = terminal.outbox
    .getSnapshot()
    .filter((photo) => photo.product === product.id && photo.state !== "failed");
  return waiting.at(-1)?.hash ?? product.image;
}

/**
 * @param {Product} product
 * @param {string | null} url
 */
export const face = (product, url) =>
  url
    ? html`<img data-hash=${imageOf(product) ?? nothing} src=${url} alt="" decoding="async" draggable="false" />`
    : html`<span class="initials" aria-hidden="true">${initials(product.short_name || product.name)}</span>`;

/** The price in front of an old one that is struck. @param {Product} product */
export function priced(product) {
  const { base, amount } = sessionOf(terminal).priceOf(product);
  if (base === null || amount === null) return html`<b>—</b>`;
  if (product.price_type === "open") return html`<b>${t("open price")}</b>`;
  const unit = product.price_type === "weight" ? html`<span> / ${product.unit}</span>` : nothing;
  const was =
    base === amount ? nothing : html`<s><span class="visually-hidden">${t("instead of")} </span>${money(base)}</s>`;
  return html`<b>${money(amount)}</b>${unit}${was}`;
}

class Card extends Element {
  /** @override */
  static properties = { product: {} };

  #ends = /** @type {(() => void)[]} */ ([]);
  #hash = /** @type {string | null} */ (null);
  #endOfPicture = () => {};
  #mark = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined);

  constructor() {
    super();
    /** The id of its product. */
    this.product = "";
  }

  /** @override */
  watched() {
    const { resources, tickets, outbox } = terminal;
    const itself = { subscribe: (/** @type {() => void} */ fn) => resources.product.subscribeTo(this.product, fn) };
    return [itself, sessionOf(terminal).told, tickets, outbox, resources.category];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.classList.add("card");
    this.dataset.product = this.product;
    this.#ends = [
      sessionOf(terminal).changes.subscribe((fresh) => {
        if (fresh.some((changed) => changed.product === this.product)) this.requestUpdate();
      }),
    ];
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
    clearTimeout(this.#mark);
    this.#show(null);
  }

  /**
   * Follows the picture of this hash: who follows one shows it, and it is fetched.
   * @param {string | null} hash
   */
  #show(hash) {
    if (hash === this.#hash) return;
    this.#endOfPicture();
    this.#hash = hash;
    this.#endOfPicture = hash ? terminal.images.subscribe(hash, () => this.requestUpdate()) : () => {};
  }

  /** @override */
  draw() {
    const product = /** @type {Product | undefined} */ (terminal.resources.product.get(this.product));
    if (!product) return nothing;
    const session = sessionOf(terminal);
    this.#show(imageOf(product));
    const url = this.#hash ? terminal.images.getSnapshot(this.#hash).url : null;
    const { amount, rules } = session.priceOf(product);
    const count = session.ticket.lines.reduce(
      (sum, line) => sum + (line.product === product.id ? line.quantity : 0),
      0,
    );
    const color = product.color || terminal.resources.category.get(product.category ?? "")?.color;
    this.#attributes(product);
    return html`
      <button class="card-tap" type="button">
        <span class="face" .style=${tile(color)}>
          ${face(product, url)}
          ${
            product.is_sold_out
              ? html`<span class="pill sold-out">${t("Sold out")}</span>`
              : rules.length
                ? html`<span class=${rules.every(({ id }) => session.forAll.has(id)) ? "visually-hidden" : "pill"}>${rules.map((rule) => rule.name).join(" + ")}</span>`
                : nothing
          }
        </span>
        <span class="card-name">${product.short_name || product.name}</span>
        <span class="card-price ${rules.length ? "ruled" : ""}" data-price=${amount === null ? "" : decimalText(amount)}>
          ${priced(product)}
        </span>
      </button>
      <button class="card-info" type="button" aria-label=${t("About {name}", { name: product.name })}><span aria-hidden="true">i</span></button>
      ${count ? html`<span class="pill count">${count}×</span>` : nothing}
    `;
  }

  /** @param {Product} product */
  #attributes(product) {
    this.toggleAttribute("data-sold-out", product.is_sold_out === true);
    const left = sessionOf(terminal).changes.markedFor(product.id);
    this.classList.toggle("changed", left > 0);
    clearTimeout(this.#mark);
    if (left) this.#mark = setTimeout(() => this.requestUpdate(), left);
  }

  /** The finger was felt, before anything is written. */
  feel() {
    this.classList.remove("added");
    requestAnimationFrame(() => this.classList.add("added"));
  }
}

customElements.define("rc-card", Card);
