// Which view is shown: by the hash of the address, `#/tables/ID`.

/** The views; which elements they are is main.js' business. */
const NAMES = ["menu", "tables", "ticket", "storage", "more", "enrol"];

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
  return NAMES.includes(name) ? { name, params } : { name: "menu", params: [] };
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
