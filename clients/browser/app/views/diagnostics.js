// What may be wrong, in findings that a person can read, and in a report that says more to those who help.

import { WORDS } from "../parts/indicator.js";
import { number, t, time } from "../parts/texts.js";
import { update } from "../parts/update.js";
import { lastErrors, terminal } from "../parts/world.js";

/** @typedef {{name: string, value: string, isGood: boolean}} Finding */

const WAIT = 5000; // ms for the browser to write and read
const FAR = 120_000; // ms between the clocks
const SHOWN = 5; // errors

/** @returns {Promise<Finding[]>} */
export async function diagnose() {
  const { state, reason, isPolling, isConnectedTab } = terminal.connection.getSnapshot();
  const { build, worker } = update.getSnapshot();
  const { time_zone: zone } = terminal.shop.getSnapshot();
  const [storage, usage] = await Promise.all([writeAndRead(), terminal.usage()]);
  const off = terminal.now() - Date.now();
  const workers = {
    none: t("none"),
    installing: t("being installed"),
    ready: t("ready"),
    failed: t("failed"),
  };
  const isSecure = globalThis.isSecureContext;
  /** @type {[string, string, boolean][]} */
  const found = [
    [t("Storage"), storage ?? t("writes and reads"), storage === null],
    [t("Protected from being cleared"), usage.isPersistent ? t("yes") : t("no"), usage.isPersistent !== null],
    [
      t("Connection"),
      [WORDS[state](), isPolling && t("asks every 15 seconds"), reason?.code].filter(Boolean).join(", "),
      state === "live",
    ],
    [t("This tab"), isConnectedTab ? t("holds the connection") : t("hears from another tab"), true],
    [
      t("Clock"),
      Math.abs(off) < FAR
        ? t("right")
        : t("{count} minutes off; the server's is used", { count: number(Math.round(off / 60_000)) }),
      Math.abs(off) < FAR,
    ],
    [
      t("Time zone of the shop"),
      isZone(zone) ? zone : t("{zone}, which this browser doesn't know: UTC is used", { zone }),
      isZone(zone),
    ],
    [t("Secure page (https)"), isSecure ? t("yes") : t("no"), isSecure],
    [
      t("Starts without the network"),
      isSecure ? workers[worker] : t("only over https"),
      isSecure && worker === "ready",
    ],
    [t("Version"), build, true],
    ...lastErrors()
      .slice(0, SHOWN)
      .map(
        ({ at, text }) =>
          /** @type {[string, string, boolean]} */ ([time(at), text.split("\n")[0].slice(0, 200), false]),
      ),
  ];
  return found.map(([name, value, isGood]) => ({ name, value, isGood }));
}

/** The findings and what else those who help ask for. @param {Finding[]} findings */
export function reported(findings) {
  const { userAgent, language, onLine } = navigator;
  const counts = Object.entries(terminal.resources).map(([name, rows]) => `${name} ${rows.size}`);
  return [
    `RedCoral terminal, ${new Date().toISOString()}`,
    `${location.origin}, ${innerWidth} × ${innerHeight} × ${devicePixelRatio}, ${language}, online ${onLine}`,
    userAgent,
    JSON.stringify(terminal.connection.getSnapshot()),
    counts.join(", "),
    ...findings.map(({ name, value }) => `${name}: ${value}`),
    ...lastErrors().map(({ at, text }) => `${new Date(at).toISOString()} ${text}`),
  ].join("\n");
}

/** @returns {Promise<string | null>} what went wrong */
async function writeAndRead() {
  const name = "redcoral-diagnostics";
  const tried = new Promise((/** @type {(value: string | null) => void} */ resolve) => {
    try {
      const opening = indexedDB.open(name);
      opening.onerror = () => resolve(String(opening.error));
      opening.onblocked = () => resolve(t("blocked by another tab"));
      opening.onupgradeneeded = () => opening.result.createObjectStore("one").put("written", 1);
      opening.onsuccess = () => {
        const reading = opening.result.transaction("one").objectStore("one").get(1);
        reading.onerror = () => resolve(String(reading.error));
        reading.onsuccess = () => {
          opening.result.close();
          resolve(reading.result === "written" ? null : t("reads something else than was written"));
        };
      };
    } catch (error) {
      resolve(String(error));
    }
  });
  const late = new Promise((/** @type {(value: string) => void} */ resolve) => {
    setTimeout(() => resolve(t("no answer from the browser")), WAIT);
  });
  const problem = await Promise.race([tried, late]);
  try {
    indexedDB.deleteDatabase(name);
  } catch {
    // said above
  }
  return problem;
}

/** @param {string} zone */
function isZone(zone) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
