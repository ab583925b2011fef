// The page: opens the terminal, then draws the shell around the view that the address names.

import { Terminal } from "../src/index.js";
import { html, render } from "../vendor/lit.js";
import { icon } from "./parts/icons.js";
import "./parts/indicator.js";
import "./parts/place.js";
import { preferred, speak, t } from "./parts/texts.js";
import { report, terminal, use } from "./parts/world.js";
import { elementOf, forget, hash, loadAll, route, VIEWS } from "./router.js";

addEventListener("error", (event) => report(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => report(event.reason));

const wide = matchMedia("(min-width: 900px)");

const names = {
  menu: () => t("Menu"),
  tables: () => t("Tables"),
  ticket: () => t("Ticket"),
  storage: () => t("Storage"),
  more: () => t("More"),
  enrol: () => t("Enrol"),
};

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
  const heading = names[/** @type {keyof typeof names} */ (name)]();
  document.title = [heading, shop || "RedCoral"].join(" · ");
  const shell = html`
    <div class="shell">
      <header class="top">
        ${name === "menu" ? html`<h1 class="visually-hidden">${heading}</h1><rc-place></rc-place>` : html`<h1 class="where"><span>${heading}</span></h1>`}
        <rc-indicator></rc-indicator>
      </header>
      <rc-notices class="notices"></rc-notices>
      <main class="view">${view ?? failedView()}</main>
      ${name === "menu" && wide.matches ? html`<aside class="side"><rc-ticket></rc-ticket></aside>` : null}
      <nav class="bar" aria-label=${t("Views")}>${Object.entries(VIEWS).map(link)}</nav>
    </div>
  `;
  render(shell, document.body);
}

const link = (/** @type {[string, import("./router.js").View]} */ [name, { icon: drawing }]) =>
  drawing &&
  html`<a href=${hash(name)} aria-current=${route.getSnapshot().name === name ? "page" : "false"}>
    ${icon(/** @type {import("./parts/icons.js").IconName} */ (drawing))}
    <span>${names[/** @type {keyof typeof names} */ (name)]()}</span>
    ${name === "ticket" ? html`<rc-count></rc-count>` : null}
  </a>`;

const failedView = () => html`
  <div class="page empty" data-failed>
    <p>${t("This part of the page has failed. The rest goes on.")}</p>
    <button class="button" type="button" @click=${draw}>${t("Try again")}</button>
  </div>
`;

/** What a person chose for this device: language, and light or dark. */
async function obey() {
  const { language, theme } = terminal.settings.getSnapshot();
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  if (language === obeyed) return;
  obeyed = language;
  await speak(language ?? preferred());
  forget();
  await draw();
}
/** @type {string | undefined} */
let obeyed;

async function start() {
  const [opened] = await Promise.all([Terminal.open(), speak(preferred())]);
  use(opened);
  globalThis.redcoral = opened;
  document.body.replaceChildren();
  await obey();
  await draw();
  opened.settings.subscribe(() => void obey().catch(report));
  opened.shop.subscribe(drawShell);
  route.subscribe(draw);
  wide.addEventListener("change", drawShell);
  await loadAll();
}

start().catch(report);
