// A ticket: what a guest was told, line by line. It is no order. Pure: each function returns a new ticket.
//
// A change names its line by id and says what it does, not what comes out: two tabs may do it one after the other.

import { scaled, within } from "./money.js";
import { chosenOptions } from "./options.js";

/** @import { Attribute, Offer, Product, Ticket, TicketLine } from "../types.js" */
/** @import { Prices } from "./price.js" */

export const COUNTER = "counter";
export const LARGEST_QUANTITY = 9999;
export const LONGEST_NOTE = 500; // characters

/**
 * What the guest is told of this product now. Null when it has no price: one that is no number, an open one that nobody
 * typed, a weight that is missing, a sum that is too large. `problemsOf` says whether the choice can be added.
 *
 * @param {object} asked
 * @param {Product} asked.product
 * @param {Prices} asked.prices
 * @param {string | null} [asked.zone] of the ticket's table
 * @param {readonly Attribute[]} [asked.groups] of the product
 * @param {readonly string[]} [asked.chosen]
 * @param {number | null} [asked.weight] thousandths of the product's unit
 * @param {number | null} [asked.typed] an open price, in minor units
 * @param {number} asked.at milliseconds since 1970
 * @returns {Offer | null}
 */
export function offerOf({ product, prices, zone = null, groups = [], chosen = [], weight = null, typed = null, at }) {
  const { base, amount, rules } = prices.of(product, zone);
  const isOpen = product.price_type === "open";
  const price = isOpen && amount !== null ? typed : amount;
  if (base === null || price === null || (product.price_type === "weight" && !weight)) return null;
  const offer = {
    product: product.id,
    name: product.name,
    price_type: product.price_type,
    unit: product.unit,
    base: isOpen ? price : base,
    price,
    rules,
    options: chosenOptions(groups, chosen),
    weight: product.price_type === "weight" ? weight : null,
    at,
  };
  return amountOf(offer) === null ? null : offer;
}

/**
 * What one of it costs with its weight and options, in minor units. Null when that is too large.
 *
 * @param {Pick<Offer, "price" | "weight" | "options">} offer
 */
export function amountOf({ price, weight, options }) {
  const itself = weight === null ? price : scaled(price, weight, 1000);
  if (itself === null) return null;
  const sum = options.reduce((before, option) => before + option.amount, 0);
  return within(itself + Math.max(sum, -itself));
}

/**
 * What is different about a line today; null when nothing is. `gone`: the product, or one of its options, is sold no
 * more, and there is no price to offer. Else `offer` is what it costs today.
 *
 * @param {TicketLine} line
 * @param {object} today
 * @param {Product | undefined} today.product
 * @param {Prices} today.prices
 * @param {string | null} [today.zone]
 * @param {readonly Attribute[]} [today.groups]
 * @param {number} today.at milliseconds since 1970
 * @returns {{gone: boolean, offer: Offer | null} | null}
 */
export function todayOf(line, { product, prices, zone = null, groups = [], at }) {
  const gone = { gone: true, offer: null };
  if (!product || product.is_active === false) return gone;
  const chosen = line.options.map((option) => option.id);
  const typed = product.price_type === line.price_type ? line.price : null;
  const offer = offerOf({ product, prices, zone, groups, chosen, weight: line.weight, typed, at });
  if (!offer || offer.options.length !== chosen.length) return gone;
  return amountOf(offer) === amountOf(line) ? null : { gone: false, offer };
}

/**
 * @param {{id: string, name: string, zone: string} | null} [table] null: the counter
 * @returns {Ticket}
 */
export function emptyTicket(table = null) {
  const place = { id: table?.id ?? COUNTER, table: table?.id ?? null, table_name: table?.name ?? "" };
  return { ...place, zone: table?.zone ?? null, lines: [], total: 0, since: null };
}

/**
 * Whether what was stored can be shown and changed as a ticket.
 *
 * @param {any} stored
 * @returns {stored is Ticket}
 */
export function isTicket(stored) {
  const isLine = (/** @type {any} */ line) =>
    typeof line?.id === "string" && isListOfObjects(line.rules) && isListOfObjects(line.options);
  const isSince = stored.since === null || Number.isFinite(stored.since);
  return Number.isFinite(stored.total) && isSince && Array.isArray(stored.lines) && stored.lines.every(isLine);
}

/** @param {any} value */
const isListOfObjects = (value) =>
  Array.isArray(value) && value.every((each) => typeof each === "object" && each !== null);

/**
 * One more of what was told. It joins the line that says the same, if there is one without a note.
 *
 * @param {Ticket} ticket
 * @param {Offer} offer
 * @param {{id: string, quantity?: number, note?: string}} line `id` is for a new line
 * @returns {Ticket}
 */
export function withOffer(ticket, offer, { id, quantity = 1, note = "" }) {
  if (ticket.lines.some((line) => line.id === id)) return ticket; // the same change, once more
  const same = note ? undefined : ticket.lines.find((line) => !line.note && saysTheSame(line, offer));
  if (same && same.quantity + quantity <= LARGEST_QUANTITY) return withMore(ticket, same.id, quantity);
  const line = { ...offer, id, quantity: Math.min(quantity, LARGEST_QUANTITY), note: note.slice(0, LONGEST_NOTE) };
  return withLines(ticket, [...ticket.lines, { ...line, total: 0 }]);
}

/**
 * So many more of a line, or fewer; at none it goes.
 *
 * @param {Ticket} ticket
 * @param {string} id
 * @param {number} change
 */
export function withMore(ticket, id, change) {
  const line = ticket.lines.find((each) => each.id === id);
  if (!line) return ticket;
  const quantity = Math.min(line.quantity + change, LARGEST_QUANTITY);
  return quantity > 0 ? replaced(ticket, { ...line, quantity }) : withoutLine(ticket, id);
}

/**
 * @param {Ticket} ticket
 * @param {string} id
 * @param {string} note
 */
export function withNote(ticket, id, note) {
  const line = ticket.lines.find((each) => each.id === id);
  return line ? replaced(ticket, { ...line, note: note.slice(0, LONGEST_NOTE) }) : ticket;
}

/**
 * A line is told anew: at today's price, or with other options. Its quantity and note stay.
 *
 * @param {Ticket} ticket
 * @param {string} id
 * @param {Offer} offer
 */
export function withLineTold(ticket, id, offer) {
  const line = ticket.lines.find((each) => each.id === id);
  return line ? replaced(ticket, { ...line, ...offer }) : ticket;
}

/**
 * @param {Ticket} ticket
 * @param {string} id
 * @returns {Ticket}
 */
export function withoutLine(ticket, id) {
  return withLines(
    ticket,
    ticket.lines.filter((line) => line.id !== id),
  );
}

/**
 * Takes back that a line was removed: it is where it was.
 *
 * @param {Ticket} ticket
 * @param {TicketLine} line
 * @param {number} index
 * @returns {Ticket}
 */
export function withLineBack(ticket, line, index) {
  if (ticket.lines.some((each) => each.id === line.id)) return ticket;
  return withLines(ticket, [...ticket.lines.slice(0, index), line, ...ticket.lines.slice(index)]);
}

/**
 * The ticket of a table to which the lines of another one moved. Nothing is priced anew by it.
 *
 * @param {Ticket} ticket of the table
 * @param {Ticket} moved
 * @returns {Ticket}
 */
export function withMoved(ticket, moved) {
  const there = new Set(ticket.lines.map((line) => line.id));
  return withLines(ticket, [...ticket.lines, ...moved.lines.filter((line) => !there.has(line.id))]);
}

/**
 * @param {Ticket} ticket
 * @param {TicketLine} changed
 */
function replaced(ticket, changed) {
  return withLines(
    ticket,
    ticket.lines.map((line) => (line.id === changed.id ? changed : line)),
  );
}

/**
 * The ticket with these lines, and what follows from them: what each and all of them cost, and since when there are any.
 *
 * @param {Ticket} ticket
 * @param {readonly TicketLine[]} told
 * @returns {Ticket}
 */
function withLines(ticket, told) {
  const lines = told.map((line) => ({ ...line, total: line.quantity * (amountOf(line) ?? 0) }));
  const since = lines.length
    ? Math.min(ticket.since ?? Number.POSITIVE_INFINITY, ...lines.map((line) => line.at))
    : null;
  return { ...ticket, lines, total: lines.reduce((sum, line) => sum + line.total, 0), since };
}

/**
 * @param {Offer} one
 * @param {Offer} other
 */
function saysTheSame(one, other) {
  /** @param {Offer} offer */
  const told = ({ product, name, base, price, rules, options, weight }) =>
    JSON.stringify([product, name, base, price, rules, options, weight]);
  return one.weight === null && told(one) === told(other);
}
