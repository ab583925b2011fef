// New builds of the page: found at the start, hourly and on a new epoch; offered, and taken when a person says so.
//
// With a service worker the browser keeps the new build ready, and hands it out by itself only when no page of the old
// one is open. Without one (plain http, private windows) the server is asked which build it has.

import { say } from "./notices.js";
import { t } from "./texts.js";
import { report } from "./world.js";

/** @typedef {"none" | "installing" | "ready" | "failed"} WorkerState */

const HOUR = 3_600_000;
const PATIENCE = 5000; // ms for the new worker to take over

const own = document.documentElement.dataset.build ?? "";
const address = (/** @type {string} */ path) => new URL(path, document.baseURI).href;

/** @type {Set<() => void>} */
const listeners = new Set();
/** @type {{build: string, offered: boolean, worker: WorkerState}} */
let now = { build: own, offered: false, worker: "none" };

/** A store: this page's build, whether there is a newer one, and what the worker does. */
export const update = {
  getSnapshot: () => now,
  subscribe: (/** @type {() => void} */ fn) => {
    listeners.add(fn);
    return () => void listeners.delete(fn);
  },
};

/** @param {Partial<typeof now>} changed */
function set(changed) {
  now = { ...now, ...changed };
  for (const fn of listeners) fn();
}

/** @type {ServiceWorkerRegistration | null} */
let registration = null;

/** Begins to look; `navigator.serviceWorker` is there over https and on this machine itself. */
export async function watchForUpdates() {
  if (navigator.serviceWorker) await register().catch(failed);
  if (!registration) await ask();
  setInterval(look, HOUR);
}

/** Looks now. Never rejects. */
export async function look() {
  if (registration) await registration.update().catch(report);
  else await ask();
}

async function ask() {
  try {
    const answer = await fetch(address("version"), { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    const said = answer.ok ? await answer.json() : null;
    if (typeof said?.build === "string" && said.build) set({ offered: said.build !== own });
  } catch {
    // not reached: asked again in an hour, and the connection says that the server is away
  }
}

async function register() {
  const { serviceWorker } = navigator;
  registration = await serviceWorker.register(address("sw.js"), { updateViaCache: "none" });
  set({ worker: registration.active ? "ready" : "installing" });
  follow(registration.installing);
  registration.addEventListener("updatefound", () => follow(registration?.installing ?? null));
  // In another tab somebody took the new build: this page is of the one before, which the worker keeps.
  const hadWorker = Boolean(serviceWorker.controller);
  serviceWorker.addEventListener("controllerchange", () => hadWorker && consider());
  await consider();
}

/** @param {ServiceWorker | null} worker */
function follow(worker) {
  worker?.addEventListener("statechange", () => {
    if (worker.state === "redundant" && !registration?.active) set({ worker: "failed" });
    else if (worker.state === "installed" || worker.state === "activated") void consider();
  });
}

/** Whether the worker that waits, or that answers, has another build than this page. */
async function consider() {
  if (!registration) return;
  const newest = registration.waiting ?? registration.active;
  if (registration.active) set({ worker: "ready" });
  const build = newest && (await buildOf(newest));
  if (build) set({ offered: build !== own });
}

/** @param {ServiceWorker} worker @returns {Promise<string | null>} null when it doesn't say */
function buildOf(worker) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const late = setTimeout(() => resolve(null), PATIENCE);
    port1.onmessage = ({ data }) => {
      clearTimeout(late);
      resolve(String(data));
    };
    worker.postMessage("build?", [port2]);
  });
}

let isTaking = false;

/** Shows the new build, once: this page ends. Not while something is open that a person would lose. */
export async function takeUpdate() {
  if (isTaking) return;
  isTaking = true;
  if (isOpen()) say({ name: "update-waits", text: t("The new version comes as soon as nothing is open here.") });
  await untilNothingIsOpen();
  const waiting = registration?.waiting;
  if (waiting) {
    const taken = new Promise((resolve) => {
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true });
      setTimeout(resolve, PATIENCE);
    });
    waiting.postMessage("take over");
    await taken;
    await untilNothingIsOpen(); // something may have been opened meanwhile
  }
  location.reload();
}

const isOpen = () =>
  document.querySelector("dialog[open], [data-sheet]") !== null ||
  Boolean(document.activeElement?.matches("input:not([type=checkbox], [type=radio]), textarea, select"));

function untilNothingIsOpen() {
  return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    const look = () => (isOpen() ? setTimeout(look, 1000) : resolve());
    look();
  });
}

/** @param {unknown} error */
function failed(error) {
  set({ worker: "failed" });
  report(error);
}
