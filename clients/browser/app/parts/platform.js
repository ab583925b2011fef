// What this browser can do: install the page, copy a text, and what it allows to a page over plain http.

import { html, nothing } from "../../vendor/lit.js";
import { t } from "./texts.js";
import { installable } from "./world.js";

/** @typedef {Event & {prompt: () => Promise<unknown>}} InstallPrompt */

/** The guide for the shop, which is a file of the build. */
const GUIDE = new URL("../../docs/terminal.md", import.meta.url).href;

// An iPad calls itself a Mac, which has no touch.
export const isApple = () =>
  /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

export const isInstalled = () =>
  matchMedia("(display-mode: standalone)").matches || /** @type {any} */ (navigator).standalone === true;

/** @type {InstallPrompt | null} */
let prompt = installable.prompt;
/** @type {Set<() => void>} */
const listeners = new Set();

/** A store: what installs the page when it is called, or null. The browser says when it can. */
export const installing = {
  getSnapshot: () => prompt && install,
  subscribe: (/** @type {() => void} */ fn) => {
    listeners.add(fn);
    return () => void listeners.delete(fn);
  },
};

/** @param {InstallPrompt | null} next */
function keep(next) {
  prompt = next;
  for (const fn of listeners) fn();
}

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault(); // it is offered under More, not in the middle of service
  keep(/** @type {InstallPrompt} */ (event));
});
addEventListener("appinstalled", () => keep(null));

async function install() {
  await prompt?.prompt();
  keep(null);
}

/** One line that says what https would add, where there is none. */
export const overHttp = () =>
  globalThis.isSecureContext
    ? nothing
    : html`<p class="card-box line" data-notice="plain-http">
        <span>
          ${t(
            "This page came over plain http. Over https it would also start without the network, and could be installed and protected from being cleared.",
          )}
          <a href=${GUIDE} target="_blank">${t("How to get https in a LAN")}</a>
        </span>
      </p>`;

/** Copies a text. Rejects where the browser copies nothing. @param {string} text */
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea"); // over plain http there is no clipboard
  area.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("this browser copies nothing here");
}
