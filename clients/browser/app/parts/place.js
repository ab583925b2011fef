// Where a ticket belongs, the counter or a table, and how it changes: with words when it fails, and a way back.

import { COUNTER, withLineBack, withoutLine } from "../../src/prices/ticket.js";
import { html, nothing } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { icon } from "./icons.js";
import { say } from "./notices.js";
import { sessionOf } from "./session.js";
import { number, t } from "./texts.js";
import { report, terminal } from "./world.js";

/** @import { Ticket } from "../../src/types.js" */

/**
 * @param {string} place a table's id, or the counter
 * @param {string} [told] the table's name when it was there
 */
export function placeName(place, told) {
  if (place === COUNTER) return t("Counter");
  const table = terminal.resources.dining_table.get(place);
  return t("Table {name}", { name: table?.name || told || "?" });
}

/**
 * Changes a ticket, or says that it couldn't be kept.
 * @param {string} place
 * @param {(ticket: Ticket) => Ticket} change
 */
export async function changeTicket(place, change) {
  try {
    return await terminal.tickets.change(place, change);
  } catch (error) {
    report(error);
    say({ name: "failed", text: t("This couldn't be kept.") });
    return null;
  }
}

/** Takes a line off, with a way back. @param {string} place @param {string} id */
export async function removeLine(place, id) {
  const { lines } = terminal.tickets.get(place);
  const index = lines.findIndex((line) => line.id === id);
  const line = lines[index];
  if (!line || !(await changeTicket(place, (ticket) => withoutLine(ticket, id)))) return;
  const run = () => void changeTicket(place, (ticket) => withLineBack(ticket, line, index));
  say({ name: "undo", text: t("Removed: {name}", { name: line.name }), action: { label: t("Undo"), run } });
}

class Place extends Element {
  /** @override */
  watched() {
    return [sessionOf(terminal).told, terminal.resources.zone];
  }

  /** @override */
  draw() {
    const session = sessionOf(terminal);
    const zone = terminal.resources.zone.get(session.zone ?? "");
    return html`
      <a class="where" href="#/tables" data-place=${session.place}>
        ${icon("tables")}
        <span>${placeName(session.place, session.ticket.table_name)}${zone ? html` <small>${zone.name}</small>` : nothing}</span>
        ${icon("down")}
      </a>
    `;
  }
}

customElements.define("rc-place", Place);

class Count extends Element {
  /** @override */
  watched() {
    return [sessionOf(terminal).told, terminal.tickets];
  }

  /** @override */
  draw() {
    const count = sessionOf(terminal).ticket.lines.reduce((sum, line) => sum + line.quantity, 0);
    return count ? html`<span class="badge">${number(count)}</span>` : nothing;
  }
}

customElements.define("rc-count", Count);
