// The public API as this page uses it, and the page's texts.

export const facts = JSON.parse(document.getElementById("studio-facts").textContent);

export const text = (name, values = {}) =>
  Object.entries(values).reduce((words, [key, value]) => words.replace(`%(${key})s`, value), facts.texts[name] ?? name);

// The server said no; `problem` is what it said, with a code and a sentence.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.code = problem.code || "";
    this.problem = problem;
  }
}

// No answer: the network, or the server, is away.
export class Lost extends Error {}

export async function ask(method, address, body, headers = {}) {
  const bytes = body instanceof Blob;
  const sent = { Accept: "application/json", "X-CSRFToken": facts.csrf, ...headers };
  if (body !== undefined) sent["Content-Type"] = bytes ? body.type || "application/octet-stream" : "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers: sent, body: body === undefined || bytes ? body : JSON.stringify(body) });
  } catch {
    throw new Lost(text("offline"));
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401) throw new Refused(401, { detail: text("logged_out") });
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

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
