// Which price rules count at a moment, and what they make of a product's price: docs/prices.md. Pure.
import { minorUnits, scaled, within } from "./money.js";

/** @import { Category, Moment, Price, PriceRule, Product } from "../types.js" */

/**
 * A rule that can be read: `value` in minor units of money or percent, `target` the id that its scope names.
 *
 * @typedef {{rule: PriceRule, value: number, rank: number, target: string}} Readable
 */

const SCOPES = ["all", "zone", "category", "tag", "product"]; // from the widest to the narrowest
const ADJUSTMENTS = ["set", "percentage", "amount"];
const PRICE_TYPES = ["fixed", "open", "weight"];
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9](?:\.[0-9]{6})?)$/;
const ONE_DAY = 24 * 3600 * 1000; // ms
const NO_PRICE = Object.freeze({ base: null, amount: null, rules: [] });

/** @type {Map<string, Intl.DateTimeFormat | null>} */
const formats = new Map();

/**
 * Whether this browser knows a time zone by that name. One that it doesn't know counts as UTC.
 *
 * @param {string} zone
 */
export function isKnownZone(zone) {
  return formatOf(zone) !== null;
}

/**
 * @param {number} at milliseconds since 1970
 * @param {string} zone such as `"Europe/Madrid"`; UTC when it is unknown
 * @returns {Moment}
 */
export function momentAt(at, zone) {
  const format = formatOf(zone) ?? /** @type {Intl.DateTimeFormat} */ (formatOf("UTC"));
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const date = `${part.year?.padStart(4, "0")}-${part.month}-${part.day}`;
  const seconds = Number(part.hour) * 3600 + Number(part.minute) * 60 + Number(part.second);
  return { date, weekday: new Date(`${date}T00:00:00Z`).getUTCDay() || 7, seconds: seconds + milliseconds(at) / 1000 };
}

/**
 * Whether the rule's dates, weekdays and window include this moment. Of a window that passes midnight the day is that
 * on which it began. A rule whose times can't be read counts at none.
 *
 * @param {PriceRule} rule
 * @param {Moment} moment
 */
export function countsAt(rule, moment) {
  let { date, weekday } = moment;
  if (isSet(rule.time_from) || isSet(rule.time_to)) {
    const [begins, ends] = [secondsOf(rule.time_from), secondsOf(rule.time_to)];
    if (begins === null || ends === null) return false;
    const hasBegun = begins <= moment.seconds;
    const isOver = ends <= moment.seconds;
    if (begins < ends && !(hasBegun && !isOver)) return false;
    if (begins > ends && !hasBegun) {
      if (isOver) return false;
      date = new Date(Date.parse(`${date}T00:00:00Z`) - ONE_DAY).toISOString().slice(0, 10);
      weekday = ((weekday + 5) % 7) + 1;
    }
  }
  for (const end of [rule.valid_from, rule.valid_to]) if (isSet(end) && !isLike(DATE, end)) return false;
  if (isSet(rule.valid_from) && date < String(rule.valid_from)) return false;
  if (isSet(rule.valid_to) && date > String(rule.valid_to)) return false;
  return Array.isArray(rule.weekdays) && (!rule.weekdays.length || rule.weekdays.includes(weekday));
}

/** The prices of a shop at one moment. Making one looks at all rules, asking it only at those that count. */
export class Prices {
  /**
   * @param {object} shop
   * @param {Iterable<PriceRule>} shop.rules
   * @param {{get: (id: string) => Category | undefined}} shop.categories
   * @param {Moment} shop.moment
   */
  constructor({ rules, categories, moment }) {
    this.categories = categories;
    const counting = [...rules].filter((rule) => rule.is_active === true && countsAt(rule, moment));
    /** @type {Readable[]} */
    this.rules = counting
      .map(readable)
      .filter((found) => found !== null)
      .sort(byRank);
  }

  /** The same text as long as the same rules say the same: whoever shows prices redraws when it is another one. */
  get key() {
    return JSON.stringify(this.rules.map(({ rule }) => rule));
  }

  /**
   * What one of a product costs, or one unit of its weight. Its amounts are null when its price is no number, or its
   * price type is unknown: then it can't be sold here.
   *
   * @param {Product} product
   * @param {string | null} [zone] the id of the zone of the ticket's table, if any
   * @returns {Price}
   */
  of(product, zone = null) {
    const base = minorUnits(product.price);
    if (base === null || base < 0 || !PRICE_TYPES.includes(product.price_type)) return NO_PRICE;
    const applied = product.price_type === "open" ? [] : this.#applied(product, zone);
    /** @type {number | null} */
    let amount = base;
    for (const { rule, value } of applied) {
      amount = adjusted(amount, rule.adjustment, value);
      if (amount === null) return NO_PRICE;
    }
    return { base, amount, rules: applied.map(({ rule }) => ({ id: rule.id, name: rule.name })) };
  }

  /**
   * The rules that count for every product here, unless one for fewer of them counts instead.
   *
   * @param {string | null} zone
   */
  forAll(zone) {
    const fitting = this.rules.filter(
      ({ rule: { scope }, target }) => scope === "all" || (scope === "zone" && target === zone),
    );
    return together(fitting).map(({ rule }) => rule);
  }

  /**
   * @param {Product} product
   * @param {string | null} zone
   */
  #applied(product, zone) {
    /** @type {Set<string> | undefined} */
    let above;
    const fitting = this.rules.filter(({ rule, target }) => {
      if (rule.scope === "all") return true;
      if (rule.scope === "product") return target === product.id;
      if (rule.scope === "tag") return Array.isArray(product.tags) && product.tags.includes(target);
      if (rule.scope === "zone") return target === zone;
      above ??= this.#categoriesOf(product);
      return above.has(target);
    });
    return together(fitting);
  }

  /**
   * Its category and those above it. One that is missing, or its own ancestor, ends the way up.
   *
   * @param {Product} product
   */
  #categoriesOf(product) {
    const found = new Set();
    for (let id = product.category; id && !found.has(id); ) {
      found.add(id);
      id = this.categories.get(id)?.parent ?? "";
    }
    return found;
  }
}

/**
 * The best of those that aren't stackable, then every stackable one.
 *
 * @param {Readable[]} fitting by rank
 */
function together(fitting) {
  const best = fitting.find(({ rule }) => !rule.is_stackable);
  const stacked = fitting.filter(({ rule }) => rule.is_stackable).sort(byPriority);
  return best ? [best, ...stacked] : stacked;
}

/**
 * Never below zero; null when it is too large to be an amount.
 *
 * @param {number} price
 * @param {string} adjustment
 * @param {number} value in minor units: of money, or of percent
 */
function adjusted(price, adjustment, value) {
  if (adjustment === "set") return Math.max(0, value);
  const now = adjustment === "amount" ? within(price + value) : scaled(price, 10_000 + value, 10_000);
  return now === null ? null : Math.max(0, now);
}

/**
 * Null when the rule can't be read: such a rule doesn't count.
 *
 * @param {PriceRule} rule
 * @returns {Readable | null}
 */
function readable(rule) {
  const [value, rank] = [minorUnits(rule.value), SCOPES.indexOf(rule.scope)];
  const target = rule.scope === "all" ? "" : /** @type {any} */ (rule)[rule.scope];
  if (value === null || rank < 0 || !ADJUSTMENTS.includes(rule.adjustment)) return null;
  if (rule.scope !== "all" && (typeof target !== "string" || target === "")) return null;
  return Number.isInteger(rule.priority) ? { rule, value, rank, target } : null;
}

/**
 * @param {Readable} one
 * @param {Readable} other
 */
function byRank(one, other) {
  return other.rule.priority - one.rule.priority || other.rank - one.rank || byId(one, other);
}

/**
 * @param {Readable} one
 * @param {Readable} other
 */
function byPriority(one, other) {
  return other.rule.priority - one.rule.priority || byId(one, other);
}

/**
 * @param {Readable} one
 * @param {Readable} other
 */
function byId(one, other) {
  return one.rule.id < other.rule.id ? -1 : Number(one.rule.id > other.rule.id);
}

/**
 * @param {string} zone
 * @returns {Intl.DateTimeFormat | null}
 */
function formatOf(zone) {
  let format = formats.get(zone);
  if (format === undefined) {
    try {
      const date = /** @type {const} */ ({ year: "numeric", month: "2-digit", day: "2-digit" });
      const time = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
      format = new Intl.DateTimeFormat("en", {
        timeZone: zone,
        calendar: "iso8601",
        numberingSystem: "latn",
        ...date,
        ...time,
      });
    } catch {
      format = null;
    }
    formats.set(zone, format);
  }
  return format;
}

/** @param {unknown} value */
const isSet = (value) => value !== null && value !== undefined;

/**
 * @param {RegExp} pattern
 * @param {unknown} value
 * @returns {value is string}
 */
const isLike = (pattern, value) => typeof value === "string" && pattern.test(value);

/**
 * @param {unknown} time `HH:MM:SS`, perhaps with microseconds
 * @returns {number | null} since midnight
 */
function secondsOf(time) {
  const found = typeof time === "string" ? TIME.exec(time) : null;
  return found && Number(found[1]) * 3600 + Number(found[2]) * 60 + Number(found[3]);
}

/** @param {number} at its part of a second, also before 1970 */
const milliseconds = (at) => ((at % 1000) + 1000) % 1000;
