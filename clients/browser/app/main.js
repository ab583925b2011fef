// The page: opens the terminal, then draws the shell around the view that the address names.

import { html, render } from "../vendor/lit.js";
import { icon } from "./parts/icons.js";
import "./parts/indicator.js";
import { say, unsay } from "./parts/notices.js";
import "./parts/place.js";
import { preferred, speak, t } from "./parts/texts.js";
import { opening, report, terminal, use } from "./parts/world.js";
import { go, goInstead, hash, route } from "./router.js";
import "./views/menu.js";

addEventListener("error", (event) => report(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => report(event.reason));

const wide = matchMedia("(min-width: 900px)");

/** @type {Record<string, () => string>} */
const names = {
  menu: () => t("Menu"),
  tables: () => t("Tables"),
  ticket: () => t("Ticket"),
  storage: () => t("Storage"),
  more: () => t("More"),
  enrol: () => t("Enrol"),
};

/** @type {Record<string, () => string>} */
const warnings = {
  "nothing-kept": () => t("This browser keeps nothing: what you do here is lost when the page is closed."),
  "storage-full": () => t("The disk is full: what is new can't be kept on this device."),
  "storage-failed": () => t("The browser's storage fails: what is new can't be kept on this device."),
};

// Each view is a module of views/ that defines an element; it is made once and kept, so that it is as it was when a person
// comes back.

/**
 * @typedef {object} View
 * @property {string} tag the element's name; its property `params` has what follows the name in the address
 * @property {() => Promise<unknown>} load
 * @property {import("./parts/icons.js").IconName} [icon] of the navigation; without one it isn't in there
 */

/** @type {Record<string, View>} */
const VIEWS = {
  menu: { tag: "rc-menu", icon: "menu", load: () => import("./views/menu.js") },
  tables: { tag: "rc-tables", icon: "tables", load: () => import("./views/tables.js") },
  ticket: { tag: "rc-ticket", icon: "ticket", load: () => import("./views/ticket.js") },
  storage: { tag: "rc-storage", icon: "storage", load: () => import("./views/storage.js") },
  more: { tag: "rc-more", icon: "more", load: () => import("./views/more.js") },
  enrol: { tag: "rc-enrol", load: () => import("./views/enrol.js") },
};

/** @type {Map<string, HTMLElement & {params?: readonly string[]}>} */
const elements = new Map();

/**
 * The element of a view, and null when its module doesn't load.
 * @param {import("./router.js").Route} wanted
 */
async function elementOf({ name, params }) {
  if (!elements.has(name)) {
    try {
      await VIEWS[name].load();
    } catch (error) {
      report(error);
      return null;
    }
    if (!elements.has(name)) elements.set(name, document.createElement(VIEWS[name].tag));
  }
  const element = /** @type {HTMLElement & {params?: readonly string[]}} */ (elements.get(name));
  element.params = params;
  return element;
}

/** Makes all views anew when they are next shown: for another language. */
const forget = () => elements.clear();

/** Loads the rest, so that a page without a worker has all of itself when the network goes. */
async function loadAll() {
  for (const { load } of Object.values(VIEWS)) await load().catch(report);
}

/** @type {HTMLElement | null} */
let view = null;
let drawn = 0;

/** Draws the view of the address; the newest call counts. */
async function draw() {
  const number = ++drawn;
  const element = await elementOf(route.getSnapshot());
  if (number !== drawn) return;
  view = element;
  drawShell();
}

function drawShell() {
  const { name } = route.getSnapshot();
  const shop = terminal.shop.getSnapshot().name;
  document.documentElement.dataset.view = name;
  document.title = [names[name](), shop || "RedCoral"].join(" · ");
  const shell = html`
    <div class="shell">
      <header class="top">
        ${name === "menu" || name === "ticket" ? html`<h1 class="visually-hidden">${names[name]()}</h1><rc-place></rc-place>` : html`<h1 class="where"><span>${names[name]()}</span></h1>`}
        <rc-indicator @click=${openState}></rc-indicator>
      </header>
      <main class="view">${view ?? failedView()}</main>
      ${name === "menu" && wide.matches ? html`<aside class="side"><rc-ticket></rc-ticket></aside>` : null}
      <nav class="bar" aria-label=${t("Views")}>${Object.entries(VIEWS).map(link)}</nav>
    </div>
  `;
  render(shell, document.body);
}

const link = (/** @type {[string, View]} */ [name, { icon: drawing }]) =>
  drawing &&
  html`<a href=${hash(name)} aria-current=${route.getSnapshot().name === name ? "page" : "false"}>
    ${icon(drawing)}<span>${names[name]()}</span>
    ${name === "ticket" ? html`<rc-count></rc-count>` : null}
  </a>`;

/** Sheets aren't loaded at the start. */
async function openState() {
  const [{ openDialog }] = await Promise.all([import("./parts/dialog.js"), import("./parts/state.js")]);
  await openDialog(document.createElement("rc-state"), "small", { labelledby: "state-name" });
}

/** Some browsers remember that a module didn't load, until the page is loaded anew. */
async function drawAgain() {
  await draw();
  if (!view) location.reload();
}

const failedView = () => html`
  <div class="page empty" data-failed>
    <p>${t("This part of the page has failed. The rest goes on.")}</p>
    <button class="button" type="button" @click=${drawAgain}>${t("Try again")}</button>
  </div>
`;

/** @type {string | undefined} */
let obeyed;

/** Does what a person chose for this device: language, and light or dark. */
async function obey() {
  const { language, theme } = terminal.settings.getSnapshot();
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  if (language === obeyed) return;
  obeyed = language;
  await speak(language ?? preferred());
  forget();
  render(null, document.body);
  await draw();
}

/** Says what a person should know until it is over. */
function warn() {
  const shown = new Set(terminal.notices.getSnapshot().map(({ name }) => name));
  for (const [name, text] of Object.entries(warnings)) {
    if (shown.has(name)) say({ name, text: text(), seconds: 0 });
    else unsay(name);
  }
}

/** @param {typeof import("./parts/update.js")} updates */
function offerUpdate({ update, takeUpdate }) {
  if (!update.getSnapshot().offered) return unsay("update");
  say({
    name: "update",
    text: t("There is a new version."),
    action: { label: t("Take it"), run: takeUpdate },
    seconds: 0,
  });
}

/** A browser that was never let in begins with enrolling; one that isn't let in any more keeps what it has. */
function lookAtAccess() {
  const { state, reason } = terminal.connection.getSnapshot();
  if (state !== "stopped") return unsay("stopped");
  const isNew = !terminal.device.getSnapshot() && terminal.resources.product.size === 0;
  if (route.getSnapshot().name === "enrol") return;
  if (isNew) return goInstead("enrol");
  const enrol = { label: t("Enrol again"), run: () => go("enrol") };
  const text = t("This device isn't let in any more. What is on it stays here.");
  if (reason) say({ name: "stopped", text, action: enrol, seconds: 0 });
}

async function start() {
  const [opened] = await Promise.all([opening, speak(preferred())]);
  use(opened);
  globalThis.redcoral = opened;
  document.body.replaceChildren();
  obeyed = terminal.settings.getSnapshot().language;
  if (obeyed) await speak(obeyed);
  await obey();
  await draw();
  terminal.settings.subscribe(() => void obey().catch(report));
  terminal.shop.subscribe(drawShell);
  route.subscribe(draw);
  wide.addEventListener("change", drawShell);
  for (const [store, react] of /** @type {const} */ ([
    [terminal.notices, warn],
    [terminal.connection, lookAtAccess],
  ])) {
    store.subscribe(react);
    react();
  }
  await loadTheRest();
}

/** What isn't needed for the first look; over plain http a page has to have all of itself before the network goes. */
async function loadTheRest() {
  await atRest();
  await loadAll();

  const updates = await import("./parts/update.js");
  updates.update.subscribe(() => offerUpdate(updates));
  await updates.watchForUpdates();
  let { epoch } = terminal;
  terminal.connection.subscribe(() => {
    if (terminal.epoch === epoch) return;
    ({ epoch } = terminal);
    void updates.look(); // the server was started again, perhaps with another build
  });
}

/** The first look is drawn, and its pictures; or it takes long. Safari can't tell. */
const atRest = () =>
  new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(resolve, { timeout: 3_000 });
    else setTimeout(resolve, 1_000);
  });

start().catch(report);
