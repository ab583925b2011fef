// What a tap on the indicator shows: whether what is seen is current, why not, and since when; and the list of changes.

import { html, nothing, repeat } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { icon } from "./icons.js";
import { described, WORDS } from "./indicator.js";
import { sessionOf } from "./session.js";
import { number, plural, t, time } from "./texts.js";
import { terminal } from "./world.js";

class State extends Element {
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #second;

  /** @override */
  watched() {
    const { connection, device, pictures, tickets, outbox, resources } = terminal;
    return [connection, device, pictures, tickets, outbox, resources.product];
  }

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.#second = setInterval(() => this.requestUpdate(), 1000); // it counts down
  }

  /** @override */
  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#second);
  }

  /** @override */
  draw() {
    const { state, asOf, reason, retryAt, isPolling, isConnectedTab } = terminal.connection.getSnapshot();
    const seconds = retryAt === null ? 0 : Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    return html`
      <div class="sheet-head">
        <h2 id="state-name">${WORDS[state]()}</h2>
        <button class="button icon-only" type="button" aria-label=${t("Close")} @click=${() => this.closest("dialog")?.close()}>${icon("close")}</button>
      </div>
      <div class="sheet-body">
        <p>${this.#meaning(state)}</p>
        ${reason && state !== "live" ? html`<p class="problem" data-problem=${reason.code}>${because(reason)}</p>` : nothing}
        ${state === "waiting" && seconds ? html`<p class="hint">${plural("Tries again in {count} second.", "Tries again in {count} seconds.", seconds)}</p>` : nothing}
        ${isPolling ? html`<p class="hint">${t("No stream gets through, so the server is asked every 15 seconds.")}</p>` : nothing}
        ${
          state === "waiting" || state === "connecting"
            ? html`<button class="button primary" type="button" data-do="hurry" @click=${() => terminal.hurry()}>${icon("refresh")}<span>${t("Try now")}</span></button>`
            : nothing
        }
        ${state === "stopped" ? html`<a class="button primary" href="#/enrol">${t("Enrol again")}</a>` : nothing}
        <dl class="card-box facts">${this.#facts({ asOf, isConnectedTab }).map(
          ([name, value]) => html`<div class="line"><dt>${name}</dt><dd>${value}</dd></div>`,
        )}</dl>
      </div>
    `;
  }

  /** @param {string} state */
  #meaning(state) {
    if (state === "live") {
      return terminal.device.getSnapshot()
        ? t("What you see is what the server has now.")
        : t(
            "What you see is what the server has now. This browser isn't enrolled: it is let in because somebody is logged in to the admin.",
          );
    }
    if (state === "stopped")
      return t("This device isn't let in any more. What is on it stays here; somebody has to enrol it again.");
    if (state === "catching up") return t("The server is reached. What changed meanwhile is being fetched.");
    return t("The server isn't reached. Everything works on with what is stored here, but it may have changed since.");
  }

  /** @param {{asOf: number | null, isConnectedTab: boolean}} connection @returns {[string, unknown][]} */
  #facts({ asOf, isConnectedTab }) {
    const { resources, tickets, outbox, device } = terminal;
    const { stored, wanted } = terminal.pictures.getSnapshot();
    return [
      [t("As of"), asOf ? time(asOf) : "—"],
      [t("Products"), number(resources.product.size)],
      [t("Pictures"), t("{stored} of {wanted}", { stored: number(stored), wanted: number(wanted) })],
      [t("Open tickets"), number(tickets.getSnapshot().length)],
      [t("Photos to be sent"), number(outbox.getSnapshot().length)],
      [t("Device"), device.getSnapshot()?.name ?? t("not enrolled")],
      [t("Server"), location.host],
      [t("Version of the menu"), number(terminal.versions.product ?? 0)],
      [t("This tab"), isConnectedTab ? t("holds the connection") : t("hears from another tab")],
      [t("Version"), (document.documentElement.dataset.build ?? "").slice(0, 12)],
    ];
  }
}

customElements.define("rc-state", State);

/** Why it isn't live, in words. @param {{code: string, message: string}} reason */
function because({ code, message }) {
  if (code === "not_reached") return t("No answer came.");
  if (code === "unexpected_answer") return t("What answered isn't our server. Is the network one that asks to log in?");
  if (code === "over_capacity") return t("The server carries as many terminals as it can.");
  return message;
}

// --- The list of changes ----------------------------------------------------------------------------------------------

class ChangesList extends Element {
  /** @override */
  watched() {
    return [sessionOf(terminal).changes];
  }

  /** @override */
  draw() {
    const changes = sessionOf(terminal).changes.getSnapshot();
    if (!changes.length) return html`<p class="hint line">${t("Nothing has changed since this page was opened.")}</p>`;
    return html`<ul>
      ${repeat(
        changes,
        ({ product, at }) => `${product} ${at}`,
        ({ name, at, differences }) => html`<li class="changes-row" data-change>
          <strong>${name}</strong><time>${time(at)}</time><span>${differences.map(described).join(" · ")}</span>
        </li>`,
      )}
    </ul>`;
  }
}

customElements.define("rc-changes", ChangesList);
