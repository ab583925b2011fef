// The page of the studio: Create, Improve, History, and what of it is on this device.
import { History } from "../src/history/history.js";
import { csrfToken } from "../src/http.js";
import { ask, element, facts, text } from "./api.js";
import { Card, isUnderWay } from "./card.js";
import { Bringing, Kept, showState } from "./kept.js";
import { Maker } from "./maker.js";
import { Picker } from "./picker.js";

const find = (selector) => document.querySelector(selector);
const tabs = [...document.querySelectorAll("nav.tabs a")];
const [grid, note, search, only, empty] = [".grid", ".page-note", "#search", "#only", ".empty"].map(find);
const dialog = find("dialog");
const cards = new Map();
const NEAR = "600px"; // around the screen: cards there have their pictures

const opening = History.open({ user: facts.user, login: csrfToken });

// --- Where one is ---------------------------------------------------------------------------------------------------
function go() {
  const place = tabs.some((tab) => tab.hash === location.hash) ? location.hash : tabs[0].hash;
  for (const tab of tabs) {
    if (tab.hash === place) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
    find(`${tab.hash}-view`).hidden = tab.hash !== place;
  }
  scrollTo(0, 0);
}

// --- What can be done with a picture ---------------------------------------------------------------------------------
async function doing(work) {
  say("");
  const history = await opening;
  try {
    const item = await work();
    if (item?.id) await history.take(item);
  } catch (error) {
    failed(error);
  }
  history.look();
}

const failed = (error) => say(error.words ?? error.message);

const does = {
  favourite: (item) => doing(() => ask("PATCH", `/api/history/${item.id}`, { favorite: !item.favorite })),
  again: (item) => doing(() => ask("POST", `/api/history/${item.id}/retry`)),
  undo: (item) => doing(() => ask("DELETE", `/api/history/${item.id}/use`)),
  use: (item) => choose("use", true, (product) => doing(() => ask("POST", `/api/history/${item.id}/use`, { product: product.id }))),
  remove: (item) => choose("delete_really", false, () => doing(async () => {
    await ask("DELETE", `/api/history/${item.id}`);
    await (await opening).drop(item.id);
  })),
};

let answered = () => {};
const target = new Picker(dialog.querySelector(".picker"), (product) => { dialog.querySelector("[value=yes]").disabled = !product; });
function choose(question, ofProduct, done) {
  dialog.querySelector("h2").textContent = text(question);
  dialog.querySelector(".picker").hidden = !ofProduct;
  target.choose(null);
  dialog.querySelector("[value=yes]").disabled = ofProduct;
  answered = () => done(target.product);
  dialog.showModal();
}
dialog.addEventListener("close", () => { if (dialog.returnValue === "yes") answered(); dialog.returnValue = ""; });

const next = (name, onclick) => element("button", { type: "button", class: "plain", onclick }, text(name));
const after = (item) => [
  item.status === "failed" ? next("again", () => does.again(item)) : null,
  item.status === "ready" && item.placed ? next("undo", () => does.undo(item)) : null,
  item.status === "ready" && !item.placed ? next("use", () => does.use(item)) : null,
].filter(Boolean);

function say(words) {
  note.textContent = words;
  note.hidden = !words;
}

// --- Making -----------------------------------------------------------------------------------------------------------
async function costs() {
  const studio = await ask("GET", "/api/studio").catch(() => null);
  if (!studio) return;
  const left = [studio.left.you, studio.left.all].filter((number) => number !== null);
  const words = (model) => studio.free || model === "tidy" ? text("free") : [
    text("provider", { provider: studio.provider, model }),
    studio.price ? text("price", { price: studio.price }) : "",
    left.length ? text("left", { left: Math.min(...left) }) : "",
  ].filter(Boolean).join(" · ");
  find("#create-view .costs").textContent = words(studio.model);
  find("#improve-view .costs").textContent = words(studio.edit_model);
}

const asked = async (item) => {
  costs();
  await (await opening).take(item);
};
const forms = find("#create-view") !== null; // who may make none only has the history
const makers = !forms ? [] : [
  new Maker(find("#create-view form"), { improves: false, asked, actions: after }),
  new Maker(find("#improve-view form"), { improves: true, asked, actions: after }),
];
// From a product in the admin: /studio/?product=ID.
async function begin() {
  const id = new URLSearchParams(location.search).get("product");
  const product = id && (await ask("GET", `/api/products/${encodeURIComponent(id)}`).catch(() => null));
  if (product) for (const maker of makers) maker.picker.choose(product);
}

go();
window.addEventListener("hashchange", go);
if (forms) {
  costs();
  begin();
}
const history = await opening; // what is above waits for no storage
globalThis.studio = history; // for tests, and for whoever looks for a reason

// --- Showing --------------------------------------------------------------------------------------------------------
// Names of products, asked for once each and kept: an item knows its product's id only.
const names = new Map(Object.entries(history.settings.getSnapshot().names ?? {}));
const nameOf = (item) => names.get(item.product) || "";
async function learnNames() {
  const ids = [...new Set(history.items.getSnapshot().map((item) => item.product))].filter((id) => id && !names.has(id)).slice(0, 100);
  if (!ids.length || history.connection.getSnapshot().state !== "live") return;
  for (const id of ids) names.set(id, "");
  const answer = await ask("GET", `/api/products?limit=100&id=${ids.join(",")}`).catch(() => null);
  for (const id of ids) if (!answer) names.delete(id);
  if (!answer) return;
  for (const product of answer.results) names.set(product.id, product.name);
  await history.settings.set("names", Object.fromEntries(names)).catch(() => {});
  show();
}

const isShown = (item) => {
  const words = search.value.trim().toLowerCase();
  if (only.checked && !item.favorite) return false;
  return !words || `${item.prompt} ${nameOf(item)} ${text(`kind_${item.kind}`)}`.toLowerCase().includes(words);
};

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const card = cards.get(target.dataset.id);
    if (!card) continue; // it was deleted meanwhile
    card.isSeen = isIntersecting;
    if (isIntersecting) card.appear();
    else card.leave();
  }
}, { rootMargin: NEAR });

function cardOf(item) {
  if (cards.has(item.id)) return cards.get(item.id);
  const card = new Card(history, does);
  card.element.dataset.id = item.id;
  cards.set(item.id, card);
  seen.observe(card.element);
  return card;
}

function show() {
  learnNames();
  const all = history.newestFirst();
  const shown = all.filter(isShown);
  const wanted = shown.map((item) => {
    const card = cardOf(item);
    card.show(item, nameOf(item));
    return card.element;
  });
  if (wanted.length !== grid.children.length || wanted.some((card, at) => card !== grid.children[at])) grid.replaceChildren(...wanted);
  for (const [id, card] of cards) if (!history.items.get(id)) {
    card.leave();
    seen.unobserve(card.element);
    cards.delete(id);
  }
  const { state } = history.connection.getSnapshot();
  empty.hidden = wanted.length > 0 || state === "connecting";
  empty.textContent = text(all.length ? "nothing_found" : state === "live" ? "empty" : "empty_here");
  for (const maker of makers) if (maker.item && history.items.get(maker.item.id)) maker.hear(history.items.get(maker.item.id));
  find("#under-way").textContent = all.filter(isUnderWay).length || "";
}

// Many changes at once, such as the first list, are shown once.
let isDue = false;
function showSoon() {
  if (isDue) return;
  isDue = true;
  queueMicrotask(() => {
    isDue = false;
    show();
  });
}

function showConnection() {
  const now = history.connection.getSnapshot();
  showState(find(".state"), now);
  const isOut = now.state === "stopped";
  const words = isOut ? text(now.reason?.code === "another_login" ? "another_login" : "logged_out") : "";
  if (isOut || note.dataset.isOut) say(words);
  if (isOut) note.append(" ", element("a", { href: location.pathname + location.search }, text("load_again")));
  note.dataset.isOut = isOut ? "1" : "";
  showSoon();
  for (const card of cards.values()) if (card.isSeen) card.appear();
}

const kept = new Kept(history, find("#storage-view .kept"), { sure: (question, done) => choose(question, false, done), failed });
new Bringing(history, find(".bringing"), failed);
search.addEventListener("input", show);
only.addEventListener("change", show);
history.items.subscribe(showSoon);
history.connection.subscribe(showConnection);
setInterval(() => { for (const card of cards.values()) card.tick(Date.now()); }, 1000);
showConnection();
kept.measure();
window.addEventListener("hashchange", () => kept.measure());
// Over plain http in a LAN a browser has no worker: then an open page goes on without the network, and none opens.
navigator.serviceWorker?.register(new URL("sw.js", document.baseURI).pathname, { updateViaCache: "none" }).catch(history.report);
