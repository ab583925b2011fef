// The tables of each zone, as a plan to scale or as a list; a tap opens the ticket of a table.

import { decimalText } from "../../src/prices/money.js";
import { COUNTER } from "../../src/prices/ticket.js";
import { html, nothing } from "../../vendor/lit.js";
import { inOrder } from "../parts/catalogue.js";
import { Element } from "../parts/element.js";
import { icon } from "../parts/icons.js";
import { kept } from "../parts/notices.js";
import { placeName } from "../parts/place.js";
import { layPlan } from "../parts/plan.js";
import { sessionOf } from "../parts/session.js";
import { money, plural, t, time } from "../parts/texts.js";
import { terminal } from "../parts/world.js";
import { go } from "../router.js";

/** @import { DiningTable, Ticket } from "../../src/types.js" */

const ELSEWHERE = ""; // tables whose zone isn't there

class Tables extends Element {
  /** The zone that is looked at. @type {string | null} */
  #zone = null;
  #resize = new ResizeObserver(() => this.requestUpdate());

  /** @override */
  watched() {
    const { resources, tickets, settings } = terminal;
    return [resources.zone, resources.dining_table, tickets, settings, sessionOf(terminal).told];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#resize.observe(this);
    this.#zone = sessionOf(terminal).zone ?? this.#zone;
  }

  /** @override */
  firstUpdated() {
    this.requestUpdate(); // now the height of the plan is known
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    this.#resize.disconnect();
  }

  /** @override */
  draw() {
    const { zone, dining_table } = terminal.resources;
    const zones = tablesByZone(zone.getSnapshot(), dining_table.getSnapshot());
    const chosen = zones.find((one) => one.id === this.#zone) ?? zones[0];
    const there = chosen?.tables ?? [];
    const isList = terminal.settings.getSnapshot().tables === "list";
    return html`
      <div class="tables">
        <div class="tables-head">
          <div class="chips" role="tablist" aria-label=${t("Zones")} @keydown=${arrows}>
            ${zones.map(
              ({ id, name }) => html`<button class="chip" type="button" role="tab" id="zone-${id}" data-zone=${id}
                aria-selected=${id === chosen?.id} aria-controls="zone" tabindex=${id === chosen?.id ? 0 : -1}
                @click=${() => this.#choose(id)}><span>${name}</span></button>`,
            )}
          </div>
          <div class="segments" role="group" aria-label=${t("How tables are shown")}>
            <button type="button" data-show="plan" aria-pressed=${!isList} aria-label=${t("Plan")} @click=${() => show("plan")}>${icon("grid")}</button>
            <button type="button" data-show="list" aria-pressed=${isList} aria-label=${t("List")} @click=${() => show("list")}>${icon("list")}</button>
          </div>
        </div>
        <div class="zone" id="zone" role="tabpanel" aria-label=${chosen?.name ?? t("Zones")}>
          ${there.length ? (isList ? this.#list(there) : this.#plan(there)) : this.#none(zones.length > 0)}
        </div>
        ${this.#others(zones.flatMap(({ tables }) => tables))}
      </div>
    `;
  }

  /** @param {string} zone */
  #choose(zone) {
    this.#zone = zone;
    this.requestUpdate();
  }

  /** @param {boolean} hasZones */
  #none(hasZones) {
    const text = hasZones ? t("There are no tables in this zone.") : t("There are no tables yet.");
    return html`<div class="empty">${icon("tables")}<strong>${text}</strong></div>`;
  }

  /** @param {DiningTable[]} tables */
  #plan(tables) {
    const style = getComputedStyle(document.documentElement);
    const rem = Number.parseFloat(style.fontSize) || 16;
    const finger = 3 * rem;
    const view = {
      width: Math.max(200, this.clientWidth - 1.5 * rem),
      height: (this.querySelector(".zone")?.clientHeight || Number.POSITIVE_INFINITY) - rem, // unknown at the first look
    };
    const { tables: placed, width, height } = layPlan(tables, { ...view, finger, margin: rem });
    return html`
      <div class="plan">
        <div class="canvas" .style=${`width: ${width}px; height: ${height}px`}>
          ${placed.map((place, at) => {
            const table = tables[at];
            const ticket = terminal.tickets.get(table.id);
            const turned = `transform: rotate(${place.rotation}deg)`;
            const box = `left: ${place.left}px; top: ${place.top}px; width: ${place.width}px; height: ${place.height}px`;
            return html`
              <button class="table ${place.isRound ? "round" : ""} ${ticket.lines.length ? "busy" : ""}" type="button" data-table=${table.id}
                aria-current=${isOpen(table.id)} aria-label=${said(table, ticket)} .style=${box} @click=${() => open(table.id)}>
                <span class="top-of-table" .style=${turned}></span>
                <span class="on-it" aria-hidden="true">
                  <b>${table.name}</b>
                  ${this.#under(table, ticket, place.width > 4.5 * rem, place.height > 4 * rem)}
                </span>
              </button>
            `;
          })}
        </div>
      </div>
    `;
  }

  /**
   * What stands below a table's name, as far as there is room.
   * @param {DiningTable} table @param {Ticket} ticket @param {boolean} isWide @param {boolean} isHigh
   */
  #under(table, ticket, isWide, isHigh) {
    if (!ticket.lines.length) return isWide ? html`<small>${seats(table)}</small>` : nothing;
    return html`
      <small data-sum=${decimalText(ticket.total)}>${money(ticket.total)}</small>
      ${isHigh ? html`<small>${time(ticket.since ?? 0)}</small>` : nothing}
    `;
  }

  /** @param {DiningTable[]} tables */
  #list(tables) {
    return html`<ul class="table-list">
      ${tables.map((table) => {
        const ticket = terminal.tickets.get(table.id);
        return html`<li class="card-box"><button class="line" type="button" data-table=${table.id} aria-current=${isOpen(table.id)} @click=${() => open(table.id)}>
          <span><b>${table.name}</b> <small class="hint">${seats(table)}</small></span>
          ${ticket.lines.length ? summed(ticket) : nothing}
        </button></li>`;
      })}
    </ul>`;
  }

  /** The counter, and tickets of tables that aren't there any more. @param {DiningTable[]} tables */
  #others(tables) {
    const shown = new Set(tables.map((table) => table.id));
    const lost = terminal.tickets.getSnapshot().filter((ticket) => ticket.id !== COUNTER && !shown.has(ticket.id));
    return html`<ul class="other-tickets">
      ${[terminal.tickets.get(COUNTER), ...lost].map(
        (
          ticket,
        ) => html`<li><button class="button" type="button" data-place=${ticket.id} aria-current=${isOpen(ticket.id)} @click=${() => open(ticket.id)}>
          ${icon("ticket")}<span>${placeName(ticket.id, ticket.table_name)}</span>
          ${ticket.lines.length ? summed(ticket) : nothing}
        </button></li>`,
      )}
    </ul>`;
  }
}

customElements.define("rc-tables", Tables);

/**
 * The tables that are in use, below their zones; those whose zone isn't there come last.
 * @template {{id: string, name: string}} Zone
 * @param {readonly Zone[]} zones @param {readonly DiningTable[]} all
 * @returns {{id: string, name: string, tables: DiningTable[]}[]}
 */
export function tablesByZone(zones, all) {
  const ids = new Set(zones.map((zone) => zone.id));
  const tables = all.filter((table) => table.is_active !== false).sort(byName);
  const known = [...zones]
    .sort(inOrder)
    .map(({ id, name }) => ({ id, name, tables: tables.filter(({ zone }) => zone === id) }));
  const elsewhere = tables.filter(({ zone }) => !ids.has(zone));
  return elsewhere.length ? [...known, { id: ELSEWHERE, name: t("Other"), tables: elsewhere }] : known;
}

/** @param {"plan" | "list"} how */
const show = (how) => void kept(terminal.settings.set("tables", how));

/** @param {string} place */
const isOpen = (place) => String(sessionOf(terminal).place === place);

/** @param {string} place */
function open(place) {
  sessionOf(terminal).open(place);
  go(terminal.tickets.get(place).lines.length ? "ticket" : "menu");
}

/** @param {DiningTable} one @param {DiningTable} other */
const byName = (one, other) => String(one.name).localeCompare(String(other.name), undefined, { numeric: true });

/** @param {DiningTable} table */
const seats = (table) => plural("{count} seat", "{count} seats", Number(table.seats) || 0);

/** @param {Ticket} ticket */
const summed = (ticket) =>
  html`<span class="summed"><b data-sum=${decimalText(ticket.total)}>${money(ticket.total)}</b> <small>${t("since {time}", { time: time(ticket.since ?? 0) })}</small></span>`;

/** @param {DiningTable} table @param {Ticket} ticket */
function said(table, ticket) {
  const words = [
    t("Table {name}", { name: table.name }),
    plural("{count} seat", "{count} seats", Number(table.seats) || 0),
  ];
  if (ticket.lines.length) words.push(money(ticket.total), t("since {time}", { time: time(ticket.since ?? 0) }));
  return words.join(", ");
}

/** Tabs are walked through by arrows. @param {KeyboardEvent} event */
function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const list = /** @type {HTMLElement} */ (event.currentTarget);
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
  const next = tabs[(tabs.indexOf(/** @type {HTMLElement} */ (event.target)) + step + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
}
