// Whether what is seen is current: always there, by word and colour. What changed is told to screen readers.

import { minorUnits } from "../../src/prices/money.js";
import { html, nothing } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { say, unsay } from "./notices.js";
import { sessionOf } from "./session.js";
import { money, number, plural, t, time } from "./texts.js";
import { terminal } from "./world.js";

/** @typedef {import("./changes.js").Changed} Changed */
/** @typedef {import("./changes.js").Difference} Difference */

const QUIET = 1500; // ms between two announcements
const NOTICED = 30; // seconds of a notice; the line of the ticket says it as long as it is so
const SEVERAL = 3; // changes that are told one by one

export const WORDS = {
  connecting: () => t("Connecting"),
  "catching up": () => t("Catching up"),
  live: () => t("Live"),
  waiting: () => t("Not live"),
  stopped: () => t("Stopped"),
};

class Indicator extends Element {
  #told = "";
  /** @type {Changed[]} */
  #untold = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #telling;

  /** @override */
  watched() {
    return [terminal.connection, terminal.device, terminal.pictures, this.#changes];
  }

  #changes = {
    subscribe: (/** @type {() => void} */ fn) =>
      sessionOf(terminal).changes.subscribe((fresh) => {
        warn(fresh);
        this.#untold.push(...fresh);
        this.#telling ??= setTimeout(() => {
          this.#told = announced(this.#untold);
          this.#untold = [];
          this.#telling = undefined;
          fn();
        }, QUIET);
      }),
  };

  /** @override */
  draw() {
    const { state, asOf } = terminal.connection.getSnapshot();
    const { stored, wanted } = terminal.pictures.getSnapshot();
    const isVisitor = state === "live" && !terminal.device.getSnapshot();
    return html`
      <button class="state" type="button" data-connection=${state.replaceAll(" ", "-")} aria-haspopup="dialog">
        <span>
          ${isVisitor ? t("Live, as staff") : WORDS[state]()}
          ${state !== "live" && asOf ? html`<small>${t("as of {time}", { time: time(asOf) })}</small>` : nothing}
          <small data-pictures="${stored}/${wanted}" ?hidden=${stored >= wanted}>
            ${t("{stored} of {wanted} pictures", { stored: number(stored), wanted: number(wanted) })}
          </small>
        </span>
      </button>
      <span class="visually-hidden" role="status">${this.#told}</span>
    `;
  }
}

customElements.define("rc-indicator", Indicator);

/** What is sold out while it is on the open ticket, until it is there again. @param {readonly Changed[]} fresh */
function warn(fresh) {
  const { lines } = sessionOf(terminal).ticket;
  const { product } = terminal.resources;
  const told = fresh.filter((changed) => lines.some((line) => line.product === changed.product));
  const whats = told.flatMap(({ differences }) => differences.map(({ what }) => what));
  const gone = lines.filter((line) => product.get(line.product)?.is_sold_out !== false);
  if (!gone.length && whats.includes("back")) unsay("sold-out");
  if (!gone.length || !(whats.includes("sold-out") || whats.includes("gone"))) return;
  const names = [...new Set(gone.map(({ name }) => name))].join(", ");
  say({ name: "sold-out", text: t("On your ticket, and sold out: {names}", { names }), seconds: NOTICED });
}

/** @param {readonly Changed[]} changed */
function announced(changed) {
  if (changed.length > SEVERAL) return plural("{count} product changed", "{count} products changed", changed.length);
  return changed.map(({ name, differences }) => `${name}: ${differences.map(described).join(", ")}`).join(". ");
}

/** A difference in words. @param {Difference} difference */
export function described({ what, from = "", to = "" }) {
  const amount = (/** @type {string} */ text) => {
    const units = minorUnits(text);
    return units === null ? "—" : money(units);
  };
  switch (what) {
    case "new":
      return t("new");
    case "gone":
      return t("not on the menu any more");
    case "price":
      return `${amount(from)} → ${amount(to)}`;
    case "sold-out":
      return t("sold out");
    case "back":
      return t("there again");
    case "picture":
      return t("another picture");
    case "name":
      return t("was called {name}", { name: from });
    default:
      return t("changed");
  }
}
