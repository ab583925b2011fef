// What this page is doing now: the open ticket, the prices of this minute, what is looked at. No DOM in here.

import { newId } from "../../src/outbox/outbox.js";
import { groupsOf } from "../../src/prices/options.js";
import { momentAt, Prices } from "../../src/prices/price.js";
import { COUNTER, offerOf, withOffer } from "../../src/prices/ticket.js";
import { Catalogue } from "./catalogue.js";
import { Changes } from "./changes.js";
import { SearchIndex, suits } from "./search.js";

/** @import { Attribute, DiningTable, Offer, Product, Terminal } from "../../src/types.js" */
/** @import { Section } from "./catalogue.js" */

const RECENT = 24; // products
const MINUTE = 60_000; // ms

/** The lists that aren't categories. */
export const ALL = "all";
export const FAVOURITES = "favourites";
export const RECENTLY = "recent";

/** A store without a value: something changed. */
export class Signal {
  /** @type {Set<() => void>} */
  #fns = new Set();

  subscribe = (/** @type {() => void} */ fn) => {
    this.#fns.add(fn);
    return () => void this.#fns.delete(fn);
  };

  emit() {
    for (const fn of [...this.#fns]) fn();
  }
}

export class Session {
  catalogue = new Catalogue();
  index = new SearchIndex();
  /** Other rules count, or the open ticket is another one. */
  told = new Signal();
  /** Something else is looked at. */
  looked = new Signal();
  /** The rules that count for everything at this place: id → name. @type {Map<string, string>} */
  forAll = new Map();
  list = ALL;
  query = "";
  /** What the words found was added: the next words are others. */
  isFound = false;
  filters = {
    diets: /** @type {ReadonlySet<string>} */ (new Set()),
    allergens: /** @type {ReadonlySet<string>} */ (new Set()),
  };

  #key = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {readonly unknown[]} */
  #tags = [];

  /** @param {Terminal} terminal */
  constructor(terminal) {
    this.terminal = terminal;
    this.changes = new Changes(terminal);
    const { resources, shop, settings } = terminal;
    /** The open ticket: a table's id, or the counter. */
    const { place } = settings.getSnapshot();
    this.place = typeof place === "string" ? place : COUNTER;
    this.prices = this.#pricesNow();
    for (const store of [resources.price_rule, resources.dining_table, shop]) store.subscribe(() => this.tick());
    resources.category.subscribe(() => {
      this.#key = ""; // a rule for a category counts for those below it
      this.tick();
    });
    globalThis.addEventListener?.("visibilitychange", () => this.tick()); // timers of a hidden page come late
    this.tick();
  }

  // --- Prices -------------------------------------------------------------------------------------------------------

  #pricesNow() {
    const { resources, shop } = this.terminal;
    const moment = momentAt(this.terminal.now(), shop.getSnapshot().time_zone);
    return new Prices({ rules: resources.price_rule.getSnapshot(), categories: resources.category, moment });
  }

  /** Looks whether other rules count now, and again at the next full minute. */
  tick() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.tick(), MINUTE - (this.terminal.now() % MINUTE) + 20);
    const isLost = this.place !== COUNTER && !this.table && this.terminal.resources.dining_table.size > 0;
    if (isLost && !this.ticket.lines.length) this.place = COUNTER; // the table is gone, and nothing is on it
    const prices = this.#pricesNow();
    const key = JSON.stringify([prices.key, this.place, this.zone, this.terminal.shop.getSnapshot()]);
    if (key === this.#key) return;
    this.#key = key;
    this.prices = prices;
    this.forAll = new Map(prices.forAll(this.zone).map(({ id, name }) => [id, name]));
    this.told.emit();
  }

  /** @param {Product} product */
  priceOf(product) {
    return this.prices.of(product, this.zone);
  }

  // --- The open ticket ----------------------------------------------------------------------------------------------

  /** @returns {DiningTable | undefined} of the open ticket; undefined at the counter */
  get table() {
    return this.place === COUNTER ? undefined : this.terminal.resources.dining_table.get(this.place);
  }

  get zone() {
    return this.table?.zone ?? null;
  }

  get ticket() {
    return this.terminal.tickets.get(this.place);
  }

  /** @param {string} place a table's id, or the counter */
  open(place) {
    if (place === this.place) return;
    this.place = place;
    this.terminal.settings.set("place", place).catch(this.terminal.report);
    this.tick();
  }

  /** @param {Product} product */
  groupsOf(product) {
    return groupsOf(product, this.terminal.resources.attribute);
  }

  /**
   * Whether something has to be asked, or said, before it can be added.
   * @param {Product} product
   */
  isAsked(product) {
    return product.price_type !== "fixed" || product.is_sold_out === true || this.groupsOf(product).length > 0;
  }

  /**
   * What the guest is told now; null when it has no price.
   * @param {{product: Product, groups?: readonly Attribute[], chosen?: readonly string[], weight?: number | null,
   *   typed?: number | null}} asked
   */
  offerOf(asked) {
    return offerOf({ ...asked, prices: this.prices, zone: this.zone, at: this.terminal.now() });
  }

  /**
   * @param {Offer} offer
   * @param {{quantity?: number, note?: string}} [more]
   */
  async add(offer, more) {
    const line = { id: newId(), ...more };
    this.isFound = Boolean(this.query);
    this.#remember(offer.product);
    await this.terminal.tickets.change(this.place, (ticket) => withOffer(ticket, offer, line));
  }

  // --- What is looked at --------------------------------------------------------------------------------------------

  /** @param {string} list a category's id, or one of the lists */
  look(list) {
    this.list = list;
    this.query = "";
    this.looked.emit();
  }

  /** @param {string} query */
  search(query) {
    this.query = query;
    this.isFound = false;
    this.looked.emit();
  }

  /**
   * @param {Iterable<string>} diets tags that a product must have
   * @param {Iterable<string>} allergens tags that it must not have
   */
  filter(diets, allergens) {
    this.filters = { diets: new Set(diets), allergens: new Set(allergens) };
    this.looked.emit();
  }

  get isFiltering() {
    return this.filters.diets.size + this.filters.allergens.size > 0;
  }

  /** Reads what changed of the menu. */
  read() {
    const { product, category, tag } = this.terminal.resources;
    const tags = tag.getSnapshot();
    if (tags !== this.#tags) {
      this.#tags = tags;
      this.index.takeTags(/** @type {any} */ (tags));
    }
    this.catalogue.takeCategories(category.getSnapshot());
    this.catalogue.takeProducts(product.getSnapshot());
  }

  /**
   * What is shown: the list, or what was found in all of the menu; of both what suits the filters.
   * @returns {{sections: Section[], exact: string | null}}
   */
  shown() {
    if (this.query.trim()) {
      const products = this.terminal.resources.product.getSnapshot();
      const { ids, exact } = this.index.search(this.query, products, this.catalogue.order());
      return { sections: this.#suiting([{ id: "", name: "", depth: 0, items: ids }]), exact };
    }
    return { sections: this.#suiting(this.#listed()), exact: null };
  }

  /** @returns {Section[]} */
  #listed() {
    const own =
      this.list === FAVOURITES ? this.terminal.favourites.getSnapshot() : this.list === RECENTLY ? this.recent : null;
    if (!own) return this.catalogue.sections(this.list === ALL ? null : this.list);
    const { product } = this.terminal.resources;
    return [{ id: "", name: "", depth: 0, items: own.filter((id) => this.catalogue.isShown(product.get(id))) }];
  }

  /** @param {Section[]} sections */
  #suiting(sections) {
    if (!this.isFiltering) return sections.filter((section) => section.items.length);
    const { product } = this.terminal.resources;
    return sections
      .map((section) => ({
        ...section,
        items: section.items.filter((id) => suits(product.get(id) ?? {}, this.filters.diets, this.filters.allergens)),
      }))
      .filter((section) => section.items.length);
  }

  /** @returns {readonly string[]} products, the last used first */
  get recent() {
    const kept = this.terminal.settings.getSnapshot().recent;
    return Array.isArray(kept) ? kept : [];
  }

  /** @param {string} product */
  #remember(product) {
    const { recent } = this;
    if (recent[0] === product) return;
    const next = [product, ...recent.filter((id) => id !== product)].slice(0, RECENT);
    this.terminal.settings.set("recent", next).catch(this.terminal.report);
  }
}

/** @type {WeakMap<Terminal, Session>} */
const sessions = new WeakMap();

/**
 * The one session of a terminal.
 * @param {Terminal} terminal
 */
export function sessionOf(terminal) {
  const session = sessions.get(terminal) ?? new Session(terminal);
  sessions.set(terminal, session);
  return session;
}
