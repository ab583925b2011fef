// The page of the studio: Create, Improve, History.
import { ask, element, text } from "./api.js";
import { Card } from "./card.js";
import { Items } from "./items.js";
import { Maker } from "./maker.js";
import { Picker } from "./picker.js";

const find = (selector) => document.querySelector(selector);
const tabs = [...document.querySelectorAll("nav.tabs a")];
const [grid, note, search, only, empty] = [".grid", ".page-note", "#search", "#only", ".empty"].map(find);
const dialog = find("dialog");
const cards = new Map();
const items = new Items(show);

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
  try {
    const item = await work();
    if (item?.id) items.take(item);
  } catch (error) {
    say(error.message);
  }
  items.look();
}

const does = {
  favourite: (item) => doing(() => ask("PATCH", `/api/history/${item.id}`, { favorite: !item.favorite })),
  again: (item) => doing(() => ask("POST", `/api/history/${item.id}/retry`)),
  undo: (item) => doing(() => ask("DELETE", `/api/history/${item.id}/use`)),
  use: (item) => choose("use", true, (product) => doing(() => ask("POST", `/api/history/${item.id}/use`, { product: product.id }))),
  remove: (item) => choose("delete_really", false, () => doing(async () => {
    await ask("DELETE", `/api/history/${item.id}`);
    items.drop(item.id);
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

// --- Showing --------------------------------------------------------------------------------------------------------
function say(words) {
  note.textContent = words;
  note.hidden = !words;
}

// Names of products, asked for once each: an item knows its product's id only.
const names = new Map();
const nameOf = (item) => names.get(item.product) || "";
async function learnNames() {
  const ids = [...new Set([...items.known.values()].map((item) => item.product))].filter((id) => id && !names.has(id)).slice(0, 100);
  if (!ids.length) return;
  for (const id of ids) names.set(id, "");
  const answer = await ask("GET", `/api/products?limit=100&id=${ids.join(",")}`).catch(() => null);
  for (const product of answer?.results ?? []) names.set(product.id, product.name);
  show();
}

const isShown = (item) => {
  const words = search.value.trim().toLowerCase();
  if (only.checked && !item.favorite) return false;
  return !words || `${item.prompt} ${nameOf(item)} ${text(`kind_${item.kind}`)}`.toLowerCase().includes(words);
};

function show() {
  learnNames();
  if (items.offline) say(text("offline_history"));
  else if (note.textContent === text("offline_history")) say("");
  const shown = items.newestFirst().filter(isShown);
  for (const item of shown) {
    if (!cards.has(item.id)) cards.set(item.id, new Card(does));
    cards.get(item.id).show(item, nameOf(item));
  }
  const wanted = shown.map((item) => cards.get(item.id).element);
  if (wanted.length !== grid.children.length || wanted.some((card, at) => card !== grid.children[at])) grid.replaceChildren(...wanted);
  for (const id of cards.keys()) if (!items.known.has(id)) cards.delete(id);
  empty.hidden = wanted.length > 0 || !items.loaded;
  empty.textContent = text(items.known.size ? "nothing_found" : "empty");
  for (const maker of makers) if (maker.item && items.known.has(maker.item.id)) maker.hear(items.known.get(maker.item.id));
  find("#under-way").textContent = [...items.known.values()].filter((item) => item.status !== "ready" && item.status !== "failed").length || "";
}

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

const asked = (item) => { items.take(item); costs(); };
const forms = find("#create-view") !== null; // who may make none only has the history
const makers = !forms ? [] : [
  new Maker(find("#create-view form"), { improves: false, asked, actions: after }),
  new Maker(find("#improve-view form"), { improves: true, asked, actions: after }),
];
search.addEventListener("input", show);
only.addEventListener("change", show);
window.addEventListener("hashchange", go);
setInterval(() => { for (const card of cards.values()) card.tick(Date.now()); }, 1000);
// From a product in the admin: /studio/?product=ID.
async function begin() {
  const id = new URLSearchParams(location.search).get("product");
  const product = id && (await ask("GET", `/api/products/${encodeURIComponent(id)}`).catch(() => null));
  if (product) for (const maker of makers) maker.picker.choose(product);
}

go();
items.look();
if (forms) {
  costs();
  begin();
}
