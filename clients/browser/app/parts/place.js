// Where the open ticket belongs, the counter or a table, and how much is on it.

import { COUNTER } from "../../src/prices/ticket.js";
import { html, nothing } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { icon } from "./icons.js";
import { sessionOf } from "./session.js";
import { number, t } from "./texts.js";
import { terminal } from "./world.js";

/**
 * @param {string} place a table's id, or the counter
 * @param {string} [told] the table's name when it was there
 */
export function placeName(place, told) {
  if (place === COUNTER) return t("Counter");
  const table = terminal.resources.dining_table.get(place);
  return t("Table {name}", { name: table?.name || told || "?" });
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
    const said = [zone?.name, ...session.forAll.values()].filter(Boolean).join(" · "); // not on every card
    return html`
      <a class="where" href="#/tables" data-place=${session.place}>
        ${icon("tables")}
        <span>${placeName(session.place, session.ticket.table_name)}${said ? html` <small>${said}</small>` : nothing}</span>
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
