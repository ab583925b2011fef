// The public API as this page uses it, and the page's texts.
import { NotEnrolled, ServerUnavailable } from "../src/errors.js";
import { Http } from "../src/http.js";

export const facts = JSON.parse(document.getElementById("studio-facts").textContent);

export const text = (name, values = {}) =>
  Object.entries(values).reduce((words, [key, value]) => words.replace(`%(${key})s`, value), facts.texts[name] ?? name);

const language = document.documentElement.lang;
export const clock = (at) => new Date(at).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const number = (of) => of.toLocaleString(language);
const inUnit = (unit) => new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 1 });
const UNITS = [["gigabyte", 1e9], ["megabyte", 1e6], ["kilobyte", 1e3]].map(([unit, of]) => [inUnit(unit), of]);
export function size(bytes) {
  const [unit, of] = UNITS.find(([, of]) => bytes >= of) ?? UNITS.at(-1);
  return unit.format(bytes / of);
}

const http = new Http();
const LONGEST = 300_000; // ms; a photo may be large, and the network slow

// Rejects with the classes of errors.js; `words` of the error are for people.
export async function ask(method, address, body, headers = {}) {
  const isPhoto = body instanceof Blob;
  const given = isPhoto ? { body, headers: { "Content-Type": body.type || "application/octet-stream" }, timeout: LONGEST } : { json: body, headers };
  try {
    const { status, bytes } = await http.request(method, address, given);
    return status === 204 ? null : JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    if (error instanceof NotEnrolled) error.words = text("logged_out");
    else error.words = error.detail || (error instanceof ServerUnavailable ? text("offline") : error.message);
    throw error;
  }
}

// Whether our server answered: then a request that is sent again is another one.
export const isAnswered = (error) => !(error instanceof ServerUnavailable) || error.isOurs;

// Not crypto.randomUUID: on http://192.168.… there is none.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte, at) => `${[4, 6, 8, 10].includes(at) ? "-" : ""}${byte.toString(16).padStart(2, "0")}`).join("");
}

// An element of these attributes and children; what begins with "on" is listened to.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") made.toggleAttribute(key, value);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Where a picture is: `width` pixels wide from what terminals show, else as the provider gave it.
export const pictureOf = (item, width) =>
  item.hash ? `/api/image/${item.hash}.jpg${width ? `?w=${width}` : ""}` : item.r2_url || item.image_url || "";
