// Which view is shown: by the hash of the address, `#/tables/ID`. Each view is a module of views/ that defines an element;
// it is made once and kept, so that it is as it was when a person comes back.

import { report } from "./parts/world.js";

/**
 * @typedef {object} View
 * @property {string} tag the element's name; its property `params` has what follows the name in the address
 * @property {() => Promise<unknown>} load
 * @property {import("./parts/icons.js").IconName} [icon] of the navigation; without one it isn't in there
 */

/** @type {Record<string, View>} */
export const VIEWS = {
  menu: { tag: "rc-menu", icon: "menu", load: () => import("./views/menu.js") },
  tables: { tag: "rc-tables", icon: "tables", load: () => import("./views/tables.js") },
  ticket: { tag: "rc-ticket", icon: "ticket", load: () => import("./views/ticket.js") },
  storage: { tag: "rc-storage", icon: "storage", load: () => import("./views/storage.js") },
  more: { tag: "rc-more", icon: "more", load: () => import("./views/more.js") },
  enrol: { tag: "rc-enrol", load: () => import("./views/enrol.js") },
};

/** @typedef {{name: string, params: readonly string[]}} Route */

/** @type {string | null} */
let invited = null;

/** The code of a link `#enrol=CODE`, once. */
export function invitation() {
  const code = invited;
  invited = null;
  return code;
}

/** @returns {Route} */
function read() {
  const link = /^#enrol=(.+)$/.exec(location.hash);
  if (link) {
    invited = decoded(link[1]);
    history.replaceState(history.state, "", hash("enrol")); // it leaves the address and the history at once
  }
  const [name, ...params] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  return name in VIEWS ? { name, params } : { name: "menu", params: [] };
}

function decoded(/** @type {string} */ text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

let now = read();
/** @type {Set<() => void>} */
const listeners = new Set();

addEventListener("hashchange", () => {
  now = read();
  for (const fn of listeners) fn();
});

/** A store, like those of the library. */
export const route = {
  getSnapshot: () => now,
  subscribe: (/** @type {() => void} */ fn) => {
    listeners.add(fn);
    return () => void listeners.delete(fn);
  },
};

/** @param {string} name @param {...string} params */
export function hash(name, ...params) {
  return `#/${[name, ...params].map(encodeURIComponent).join("/")}`;
}

/** @param {string} name @param {...string} params */
export function go(name, ...params) {
  location.hash = hash(name, ...params);
}

/** Goes there without a way back: for a place that isn't right any more. @param {string} name */
export function goInstead(name) {
  history.replaceState(history.state, "", hash(name));
  now = read();
  for (const fn of listeners) fn();
}

/** @type {Map<string, HTMLElement & {params?: readonly string[]}>} */
const elements = new Map();

/**
 * The element of a view, and null when its module doesn't load.
 * @param {Route} wanted
 */
export async function elementOf({ name, params }) {
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
export const forget = () => elements.clear();

/** Loads the rest, so that a page without a worker has all of itself when the network goes. */
export async function loadAll() {
  for (const { load } of Object.values(VIEWS)) await load().catch(report);
}
