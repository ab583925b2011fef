// The ticket of a table, or of the counter: what the guest was told. On this device only; it is no order.

import { decimalText } from "../../src/prices/money.js";
import { amountOf, COUNTER, todayOf, withLineBack, withLineTold, withMore } from "../../src/prices/ticket.js";
import { html, nothing, repeat } from "../../vendor/lit.js";
import { openDialog } from "../parts/dialog.js";
import { Element } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { changeTicket, removeLine } from "../parts/lines.js";
import { say } from "../parts/notices.js";
import { placeName } from "../parts/place.js";
import { copy } from "../parts/platform.js";
import { sessionOf } from "../parts/session.js";
import { money, number, plural, t, time } from "../parts/texts.js";
import { report, terminal } from "../parts/world.js";
import { openSheet } from "./sheet.js";
import { tablesByZone } from "./tables.js";

/** @import { Offer, Ticket, TicketLine } from "../../src/types.js" */

class TicketView extends Element {
  get session() {
    return sessionOf(terminal);
  }

  /** @override */
  watched() {
    const { resources, tickets } = terminal;
    return [tickets, resources.product, resources.attribute, resources.dining_table, resources.zone, this.session.told];
  }

  /** @override */
  draw() {
    const { ticket } = this.session;
    const { place } = this.session;
    return html`
      <section class="ticket" data-ticket=${place} aria-label=${t("Ticket")}>
        ${this.#head(place, ticket)}
        ${
          ticket.lines.length
            ? html`<ul class="lines">${repeat(
                ticket.lines,
                (line) => line.id,
                (line) => this.#line(line),
              )}</ul>`
            : html`<div class="empty">${icon("ticket")}<strong>${t("Nothing on it yet.")}</strong><p>${t("Tap products in the menu.")}</p></div>`
        }
        <div class="ticket-foot">
          <p class="total" data-total=${decimalText(ticket.total)}>
            <span>${t("Total")}</span><span>${money(ticket.total)}</span>
          </p>
        </div>
        <p class="no-order">${t("On this device only, not an order.")}</p>
      </section>
    `;
  }

  /** @param {string} place @param {Ticket} ticket */
  #head(place, ticket) {
    const zone = terminal.resources.zone.get(this.session.zone ?? "");
    const since = ticket.lines.length ? t("since {time}", { time: time(ticket.since ?? 0) }) : "";
    const under = [zone?.name, since].filter(Boolean).join(" · ");
    return html`
      <div class="ticket-head">
        <div>
          <h2>${placeName(place, ticket.table_name)}</h2>
          ${under ? html`<p class="hint">${under}</p>` : nothing}
        </div>
        <a class="button icon-only" href="#/tables" aria-label=${t("Another table")}>${icon("tables")}</a>
        <button class="button icon-only" type="button" aria-label=${t("More to do with this ticket")} data-do="more"
          ?disabled=${!ticket.lines.length} @click=${() => openActions(ticket)}>${icon("more")}</button>
      </div>
    `;
  }

  /** @param {TicketLine} line */
  #line(line) {
    const { prices, zone } = this.session;
    const product = terminal.resources.product.get(line.product);
    const groups = product ? this.session.groupsOf(product) : [];
    const today = todayOf(line, { product, prices, zone, groups, at: terminal.now() });
    const less = () =>
      line.quantity > 1
        ? this.#change((ticket) => withMore(ticket, line.id, -1))
        : removeLine(this.session.place, line.id);
    return html`
      <li class="ticket-line" data-line=${line.id}>
        <button class="what" type="button" data-do="edit" @click=${() => openSheet(line.product, line)}>
          <strong>${line.name}</strong>
          <small>${line.quantity > 1 || line.weight !== null || line.base !== line.price ? unitPrice(line) : nothing}${line.rules.map((rule) => html` · ${rule.name}`)}</small>
          ${line.options.map((option) => html`<small>+ ${option.name}${option.amount ? html` ${money(option.amount)}` : nothing}</small>`)}
          ${line.note ? html`<small class="note">“${line.note}”</small>` : nothing}
        </button>
        <div class="does">
          <span class="sum">${money(line.total)}</span>
          <div class="stepper">
            <button type="button" data-do="less" @click=${less}
              aria-label=${line.quantity > 1 ? t("One {name} less", { name: line.name }) : t("Remove {name}", { name: line.name })}>
              ${icon(line.quantity > 1 ? "minus" : "trash")}
            </button>
            <output>${number(line.quantity)}</output>
            <button type="button" data-do="more-of-it" aria-label=${t("One {name} more", { name: line.name })}
              @click=${() => this.#change((ticket) => withMore(ticket, line.id, 1))}>${icon("plus")}</button>
          </div>
        </div>
        ${today ? this.#remark(line, today) : product?.is_sold_out ? html`<p class="remark"><span>${t("Sold out by now")}</span></p>` : nothing}
      </li>
    `;
  }

  /** @param {TicketLine} line @param {{gone: boolean, offer: Offer | null}} today */
  #remark(line, { offer }) {
    if (!offer)
      return html`<p class="remark" data-notice="gone"><span>${t("Not on the menu like this any more")}</span></p>`;
    const now = money(amountOf(offer) ?? 0);
    return html`
      <div class="remark" data-notice="new-price">
        <span>${t("Today {price}", { price: now })}</span>
        <button class="button" type="button" @click=${() => this.#change((ticket) => withLineTold(ticket, line.id, offer))}>${t("Take it")}</button>
      </div>
    `;
  }

  /** @param {(ticket: Ticket) => Ticket} change */
  #change(change) {
    void changeTicket(this.session.place, change);
  }
}

customElements.define("rc-ticket", TicketView);

/** @param {TicketLine} line */
function unitPrice(line) {
  if (line.weight !== null) {
    return t("{weight} {unit} at {price}", {
      weight: number(line.weight / 1000),
      unit: line.unit,
      price: money(line.price),
    });
  }
  return line.base === line.price ? money(line.price) : html`<s>${money(line.base)}</s> ${money(line.price)}`;
}

/** The ticket as text: for a copy, and to share. @param {Ticket} ticket */
function written(ticket) {
  const lines = ticket.lines.flatMap((line) => [
    `${number(line.quantity)} × ${line.name}  ${money(line.total)}`,
    ...line.options.map((option) => `    + ${option.name}`),
    ...(line.note ? [`    “${line.note}”`] : []),
  ]);
  const head = placeName(ticket.id, ticket.table_name);
  return [
    head,
    "",
    ...lines,
    "",
    `${t("Total")}  ${money(ticket.total)}`,
    t("On this device only, not an order."),
  ].join("\n");
}

// --- More to do with a ticket -----------------------------------------------------------------------------------------

class Actions extends Element {
  /** @type {Ticket | undefined} */
  ticket;
  isMoving = false;

  /** @override */
  watched() {
    return [terminal.resources.dining_table, terminal.tickets];
  }

  /** @override */
  draw() {
    const { ticket } = this;
    if (!ticket) return nothing;
    const name = placeName(ticket.id, ticket.table_name);
    return html`
      <div class="sheet-head">
        <h2 id="actions-name">${this.isMoving ? t("Move to") : name}</h2>
        <button class="button icon-only" type="button" aria-label=${t("Close")} @click=${() => this.#close("")}>${icon("close")}</button>
      </div>
      <div class="sheet-body">${this.isMoving ? this.#places(ticket) : this.#actions()}</div>
    `;
  }

  #actions() {
    const action = (
      /** @type {string} */ name,
      /** @type {import("../parts/icons.js").IconName} */ drawn,
      /** @type {string} */ label,
      run = () => this.#close(name),
    ) =>
      html`<button class="line action" type="button" data-do=${name} @click=${run}>${icon(drawn)}<span>${label}</span></button>`;
    const move = () => {
      this.isMoving = true;
      this.requestUpdate();
    };
    return html`<div class="card-box">
      ${action("move", "move", t("Move to another table"), move)}
      ${action("copy", "copy", t("Copy as text"))}
      ${"share" in navigator ? action("share", "share", t("Share")) : nothing}
      ${action("print", "print", t("Print"))}
      ${action("clear", "trash", t("Clear the ticket"))}
    </div>`;
  }

  /** @param {Ticket} ticket */
  #places(ticket) {
    const { zone, dining_table } = terminal.resources;
    const groups = tablesByZone(zone.getSnapshot(), dining_table.getSnapshot());
    const places = [{ name: "", tables: [{ id: COUNTER, name: t("Counter") }] }, ...groups]
      .map(({ name, tables }) => ({ name, tables: tables.filter(({ id }) => id !== ticket.id) }))
      .filter(({ tables }) => tables.length);
    return places.map(
      ({ name, tables }) => html`
        ${name ? html`<h3>${name}</h3>` : nothing}
        <div class="places" role="group" aria-label=${name || t("Counter")}>
          ${tables.map((table) => {
            const there = terminal.tickets.get(table.id);
            return html`<button class="button" type="button" data-move=${table.id} @click=${() => this.#close(`to ${table.id}`)}>
              <span>${table.name}</span>
              ${there.lines.length ? html`<small class="hint">${t("joins {sum}", { sum: money(there.total) })}</small>` : nothing}
            </button>`;
          })}
        </div>
      `,
    );
  }

  /** @param {string} value */
  #close(value) {
    this.closest("dialog")?.close(value);
  }
}

customElements.define("rc-actions", Actions);

/** @param {Ticket} ticket */
async function openActions(ticket) {
  const actions = /** @type {Actions} */ (document.createElement("rc-actions"));
  actions.ticket = ticket;
  const chosen = await openDialog(actions, "small low", { labelledby: "actions-name" });
  try {
    if (chosen === "copy") {
      await copy(written(ticket));
      say({ name: "copied", text: t("Copied.") });
    }
    if (chosen === "share") await navigator.share({ text: written(ticket) });
    if (chosen === "print") print();
    if (chosen === "clear") await clear(ticket.id);
    if (chosen.startsWith("to ")) await move(ticket, chosen.slice(3));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return; // a person thought better of sharing
    report(error);
    say({ name: "failed", text: t("This didn't work.") });
  }
}

/** @param {string} place */
async function clear(place) {
  const was = await terminal.tickets.clear(place);
  const back = () =>
    void terminal.tickets
      .change(place, (now) => was.lines.reduceRight((ticket, line) => withLineBack(ticket, line, 0), now))
      .catch(report);
  say({
    name: "undo",
    text: plural("{count} line cleared", "{count} lines cleared", was.lines.length),
    action: { label: t("Undo"), run: back },
    seconds: 10,
  });
}

/** @param {Ticket} ticket @param {string} to */
async function move(ticket, to) {
  const session = sessionOf(terminal);
  const before = session.zone;
  const moved = new Set(ticket.lines.map((line) => line.id));
  await terminal.tickets.move(ticket.id, to);
  session.open(to);
  if (session.zone === before) return;
  const { prices, zone } = session;
  const at = terminal.now();
  const anew = session.ticket.lines.flatMap((line) => {
    const product = terminal.resources.product.get(line.product);
    const groups = product ? session.groupsOf(product) : [];
    const today = moved.has(line.id) ? todayOf(line, { product, prices, zone, groups, at }) : null;
    return today?.offer ? [{ id: line.id, offer: today.offer }] : [];
  });
  if (!anew.length || !(await asks(anew.length, placeName(to)))) return;
  await terminal.tickets.change(to, (now) => anew.reduce((next, { id, offer }) => withLineTold(next, id, offer), now));
}

/** Whether the lines shall cost what they cost there. @param {number} count @param {string} place */
async function asks(count, place) {
  const content = document.createElement("rc-question");
  Object.assign(content, {
    question: plural(
      "{count} line costs something else at {place}.",
      "{count} lines cost something else at {place}.",
      count,
      { place },
    ),
    yes: t("Take the prices there"),
    no: t("Keep what was told"),
  });
  return (await openDialog(content, "small", { labelledby: "question" })) === "yes";
}

class Question extends Element {
  question = "";
  yes = "";
  no = "";

  /** @override */
  draw() {
    const close = (/** @type {string} */ value) => () => this.closest("dialog")?.close(value);
    return html`
      <div class="sheet-body question" data-notice="zone-prices">
        <p id="question">${this.question}</p>
        <button class="button primary" type="button" data-do="yes" @click=${close("yes")}>${this.yes}</button>
        <button class="button" type="button" data-do="no" @click=${close("no")}>${this.no}</button>
      </div>
    `;
  }
}

customElements.define("rc-question", Question);
