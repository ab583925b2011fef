// What there is one of in a page: its terminal, and the list of what went wrong.

/** @typedef {import("../../src/types.js").Terminal} Terminal */

/** @type {Terminal} */
export let terminal;

/** @param {Terminal} opened before anything is drawn */
export function use(opened) {
  terminal = opened;
}

const KEPT = 20;
/** @type {{at: number, text: string}[]} */
const errors = [];

/** The last errors, the newest first: for the diagnostics. */
export const lastErrors = () => errors;

/** @param {unknown} error that nobody else deals with */
export function report(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
  errors.unshift({ at: Date.now(), text });
  errors.length = Math.min(errors.length, KEPT);
}
