// What there is one of in a page: its terminal, and the list of what went wrong.

import { Terminal as Opened } from "../../src/terminal.js";

/** @typedef {import("../../src/types.js").Terminal} Terminal */
/** @typedef {{at: number, error: unknown}} Mishap */

/** The browser runs this module before it has all the others, so that its storage is read meanwhile. */
export const opening = Opened.open();
/** @type {Terminal} */
export let terminal;
/** @type {Mishap[]} */
const early = []; // before there was a terminal

/** What a browser says once, mostly before More is loaded, which offers it. @type {{prompt: any}} */
export const installable = { prompt: null };

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // not in the middle of service
  installable.prompt = event;
});

/** @param {Terminal} opened before anything is drawn */
export function use(opened) {
  terminal = opened;
}

/** @param {unknown} error that nobody else deals with; the diagnostics show it */
export function report(error) {
  if (terminal) terminal.report(error);
  else early.push({ at: Date.now(), error });
}

/** The last errors, the newest first. @returns {{at: number, text: string}[]} */
export function lastErrors() {
  const all = [...early, ...(terminal?.errors.getSnapshot() ?? [])].reverse();
  return all.map(({ at, error }) => ({ at, text: written(error) }));
}

/** @param {unknown} error */
function written(error) {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}: ${error.message}\n${error.stack ?? ""}`.trim();
}
