// The public API as this page uses it. What is lost on the way is asked for again with growing, random pauses.

// The server said no; asking again changes nothing.
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.code = problem.code || "";
  }
}

// No answer, or one that says "later".
export class Lost extends Error {}

const TRIES = 4;

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const backoff = (attempt) => pause(400 * 2 ** attempt * (0.5 + Math.random()));
const later = (status) => status >= 500 || status === 429 || status === 408 || status === 0;
const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1] ?? "";

async function once(method, address, body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
  } catch (error) {
    throw new Lost(error.message);
  }
  if (later(answer.status)) throw new Lost(String(answer.status));
  throw new Refused(answer.status, await answer.json().catch(() => ({})));
}

const csrfToken = () => cookie("csrftoken") || document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";

async function persistently(work, tries) {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Lost) || attempt + 1 >= tries) throw error;
      await backoff(attempt);
    }
  }
}

export const ask = (method, address, body, { tries = TRIES } = {}) =>
  persistently(() => once(method, address, body), tries);

// Sends the bytes to an upload target. 412 says that they are there already: as good as sent.
export const put = (target, file, onProgress) => persistently(() => putOnce(target, file, onProgress), TRIES);

function putOnce(target, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch can't tell how much has left
    request.open(target.method, target.url);
    for (const [name, value] of Object.entries(target.headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded / (event.total || 1)));
    request.addEventListener("error", () => reject(new Lost("network")));
    request.addEventListener("abort", () => reject(new Lost("abort")));
    request.addEventListener("load", () => {
      const { status } = request;
      if ((status >= 200 && status < 300) || status === 412) resolve();
      else if (later(status)) reject(new Lost(String(status)));
      else reject(new Refused(status, problemIn(request.responseText)));
    });
    request.send(file);
  });
}

// A bucket answers in XML: then the status has to do.
function problemIn(body) {
  try {
    return JSON.parse(body);
  } catch {
    return {};
  }
}

// Not crypto.randomUUID: on http://192.168.… there is none.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// The SHA-256 of a file, or "" where the browser offers none (plain http in a LAN): the server then checks the size only.
export async function sha256(file) {
  if (!globalThis.crypto?.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
