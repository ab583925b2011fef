// What the page says, in the language of the person: texts, and money, times and bytes by Intl.
//
// `t("…")` and `plural("…", "…", count)` are what `make messages` looks for: their texts are literals.

import { terminal } from "./world.js";

/** @typedef {Record<string, string | number>} Values */

/** The languages of texts/, as people call them. */
export const LANGUAGES = { en: "English", "zh-hans": "简体中文", es: "Español" };

let language = "en";
/** @type {Record<string, string | string[]>} */
let texts = {};
/** @type {Map<string, any>} */
const formats = new Map();

/**
 * Speaks this language from now on; the browser's when it is none of ours. What can't be loaded is said in English.
 * @param {string} asked of LANGUAGES
 */
export async function speak(asked) {
  const wanted = Object.hasOwn(LANGUAGES, asked) ? asked : preferred();
  const answer = await fetch(new URL(`../texts/${wanted}.json`, import.meta.url)).catch(() => null);
  const loaded = answer?.ok ? await answer.json().catch(() => null) : null;
  language = loaded ? wanted : "en";
  texts = loaded ?? {};
  formats.clear();
  document.documentElement.lang = language === "zh-hans" ? "zh-Hans" : language;
}

/**
 * The first of the browser's languages that we speak.
 * @returns {string} of LANGUAGES
 */
export function preferred() {
  for (const one of navigator.languages) {
    const [primary] = one.toLowerCase().split("-");
    if (primary === "zh") return "zh-hans";
    if (primary in LANGUAGES) return primary;
  }
  return "en";
}

export const spoken = () => language;

/**
 * @param {string} text with `{name}` where a value stands
 * @param {Values} [values]
 */
export function t(text, values) {
  const said = texts[text];
  return filled(typeof said === "string" ? said : text, values);
}

/**
 * @param {string} one
 * @param {string} many
 * @param {number} count also the value of `{count}`
 * @param {Values} [values]
 */
export function plural(one, many, count, values) {
  const said = texts[one];
  const forms = Array.isArray(said) ? said : [one, many];
  return filled(forms[Math.min(count === 1 ? 0 : 1, forms.length - 1)], { count: number(count), ...values });
}

const filled = (/** @type {string} */ text, /** @type {Values} */ values = {}) =>
  text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

// The region decides how numbers look: the browser's, when it speaks our language.
const locale = () =>
  navigator.languages.find((one) => one.toLowerCase().startsWith(language.slice(0, 2))) ??
  document.documentElement.lang;

/**
 * @template T
 * @param {string} key
 * @param {() => T} make
 * @returns {T}
 */
function format(key, make) {
  if (!formats.has(key)) formats.set(key, make());
  return formats.get(key);
}

/** @param {number} value */
export const number = (value) => format("number", () => new Intl.NumberFormat(locale())).format(value);

/** @param {number} minor units of the shop's currency, hundredths */
export function money(minor) {
  const { currency } = terminal.shop.getSnapshot();
  const made = format(`money ${currency}`, () => {
    try {
      const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat("en", {
        style: "currency",
        currency,
      }).resolvedOptions();
      return new Intl.NumberFormat(locale(), {
        style: "currency",
        currency,
        currencyDisplay: "narrowSymbol",
        minimumFractionDigits: Math.min(digits, 2),
        maximumFractionDigits: 2,
      });
    } catch {
      return new Intl.NumberFormat(locale(), { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    }
  });
  return made.format(minor / 100);
}

/** @param {number} at milliseconds since 1970; "14:02", with the day when it isn't today's */
export function time(at) {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { hour: "2-digit", minute: "2-digit", ...(isToday ? {} : { day: "numeric", month: "short" }) };
  return format(`time ${isToday}`, () => new Intl.DateTimeFormat(locale(), options)).format(at);
}

/** @param {number} count "1.2 MB" */
export function bytes(count) {
  const [unit, size] = count < 1e6 ? ["kilobyte", 1e3] : count < 1e9 ? ["megabyte", 1e6] : ["gigabyte", 1e9];
  return format(
    unit,
    () => new Intl.NumberFormat(locale(), { style: "unit", unit: String(unit), maximumFractionDigits: 1 }),
  ).format(count / Number(size));
}
