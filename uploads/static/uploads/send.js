// The page that sends many photos: choose, match with products, confirm, watch, try again.
import { Refused, ask, newId, pause } from "./api.js";
import { facts, text } from "./facts.js";
import { Photo } from "./photo.js";
import { Row } from "./row.js";

const AT_ONCE = 4;
const MATCHED_AT_ONCE = 500;

const page = document.getElementById("sender");
const find = (selector) => page.querySelector(selector);
const [drop, files, note, list, bar] = [".sender-drop", "#files", ".sender-note", ".sender-photos", ".sender-bar"].map(find);
const [filters, albumName] = [find(".sender-filters"), find("#album-name")];
const buttons = Object.fromEntries(["album", "clear", "retry", "send"].map((name) => [name, find(`.sender-bar [data-do=${name}]`)]));

let rows = new Map(); // photo → row
let album = null; // its id, from the first confirmation on
let filter = "all";
let sending = 0;
let watching = false;

const photos = () => [...rows.keys()];
const inState = (...states) => photos().filter((photo) => states.includes(photo.state));

// --- Choosing and matching -----------------------------------------------------------------------------------------
async function add(chosen) {
  say("");
  const known = new Set(photos().map((photo) => identity(photo.file)));
  const fresh = [];
  for (const file of chosen) {
    if (known.has(identity(file))) {
      say(text("twice"));
      continue;
    }
    known.add(identity(file));
    const photo = new Photo(file, changed);
    const row = new Row(photo, {
      chosen: (product) => { photo.product = product; photo.by = ""; show(); },
      remove: () => remove(photo),
      retry: () => again([photo]),
    });
    rows.set(photo, row);
    list.append(row.element);
    fresh.push(photo);
  }
  show();
  await match(fresh.filter((photo) => photo.state === "waiting"));
}

const identity = (file) => `${file.name}:${file.size}:${file.lastModified}`;

async function match(fresh) {
  for (let start = 0; start < fresh.length; start += MATCHED_AT_ONCE) {
    const some = fresh.slice(start, start + MATCHED_AT_ONCE);
    try {
      const filenames = some.map((photo) => photo.file.name);
      const { matches } = await ask("POST", "/api/photos/match", { filenames });
      some.forEach((photo, index) => {
        if (photo.state !== "waiting" || photo.product) return;
        photo.product = matches[index].product;
        photo.by = matches[index].by ?? "";
      });
    } catch {
      say(text("no_match"));
    }
  }
  show();
}

function remove(photo) {
  rows.get(photo).element.remove();
  rows.delete(photo);
  show();
}

// --- Sending and watching ------------------------------------------------------------------------------------------
async function open(id) {
  try {
    if (album) return await ask("GET", `/api/albums/${id}`); // whatever it is called by now
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  return ask("POST", "/api/albums", { id, name: albumName.value.trim() || albumName.defaultValue });
}

async function begin(chosen) {
  const before = new Map(chosen.map((photo) => [photo, [photo.state, { reason: photo.reason, mayRetry: photo.mayRetry }]]));
  for (const photo of chosen) photo.become("queued");
  const id = album ?? newId();
  try {
    await open(id);
  } catch (error) {
    for (const [photo, [state, values]] of before) photo.become(state, values);
    if (error instanceof Refused) say(error.status === 401 ? text("logged_out") : error.message);
    else say(text("unreachable"));
    return;
  }
  album = id;
  albumName.disabled = true;
  say("");
  work();
}

function work() {
  while (sending < AT_ONCE) {
    const [next] = inState("queued");
    if (!next) return;
    sending += 1;
    next.send(album).finally(() => {
      sending -= 1;
      work();
      watch();
    });
  }
}

function again(failed) {
  if (album) begin(failed);
}

async function watch() {
  if (watching) return;
  watching = true;
  for (let look = 0; inState("processing", "again").length; look += 1) {
    await pause(Math.min(800 + look * 100, 3000));
    const asked = inState("processing", "again"); // one that comes meanwhile may be missing in the answer
    try {
      const answer = await ask("GET", `/api/albums/${album}/photos`, undefined, { tries: 1 });
      const said = new Map(answer.photos.map((photo) => [photo.id, photo]));
      for (const photo of asked) photo.hear(said.get(photo.id));
      if (note.dataset.about === "offline") say("");
    } catch {
      say(text("offline"), "offline");
    }
  }
  watching = false;
}

// --- Showing -------------------------------------------------------------------------------------------------------
function say(words, about = "") {
  note.textContent = words;
  note.hidden = !words;
  note.dataset.about = about;
}

// Progress events come often: only the line that changed is drawn at once, the rest soon.
let drawing = false;
function changed(photo) {
  rows.get(photo)?.show({ isShared: isShared(photo) });
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => { drawing = false; show(); });
}

const isShared = (photo) =>
  Boolean(photo.product) && photo.state !== "ready" && photos().some((other) => other !== photo && other.product?.id === photo.product.id);

const MEANS = {
  all: () => true,
  unmatched: (photo) => !photo.product && photo.state !== "failed",
  failed: (photo) => photo.state === "failed",
};

function show() {
  for (const [name, means] of Object.entries(MEANS)) {
    const button = filters.querySelector(`[data-filter=${name}]`);
    const count = photos().filter(means).length;
    button.querySelector("b").textContent = count;
    button.hidden = !count && name !== "all";
    if (button.hidden && filter === name) filter = "all";
    button.setAttribute("aria-pressed", String(filter === name));
  }
  for (const [photo, row] of rows) {
    row.show({ isShared: isShared(photo) });
    row.element.hidden = !MEANS[filter](photo);
  }
  page.classList.toggle("has-photos", rows.size > 0);
  filters.hidden = bar.hidden = !rows.size;
  showBar();
}

function showBar() {
  const all = rows.size;
  const [waiting, failed, ready] = [inState("waiting"), inState("failed"), inState("ready")];
  const retries = failed.filter((photo) => photo.mayRetry);
  const busy = photos().some((photo) => photo.isUnderWay);
  const begun = busy || ready.length > 0 || album !== null;
  const progress = bar.querySelector("progress");
  progress.hidden = !begun;
  progress.max = all || 1;
  progress.value = ready.length; // what the text beside it counts; a photo on its way has a bar of its own
  bar.querySelector("strong").textContent = !begun
    ? text("chosen", { all, matched: photos().filter((photo) => photo.product).length })
    : ready.length === all ? text("done", { all })
    : !busy && retries.length ? text("retries", { count: retries.length, all })
    : !busy && failed.length ? text("unusable", { done: ready.length, count: failed.length, all })
    : text("progress", { done: ready.length, all });
  bar.dataset.mood = busy ? "busy" : failed.length && begun ? "failed" : ready.length === all ? "done" : "";
  buttons.send.textContent = text("send", { count: waiting.length });
  buttons.send.hidden = !waiting.length;
  buttons.retry.hidden = busy || !retries.length;
  buttons.clear.hidden = busy;
  buttons.album.hidden = album === null;
  if (album) buttons.album.href = facts.photosPage + album;
}

// --- What the manager does -----------------------------------------------------------------------------------------
files.hasChangeListener = true; // the theme's own would write the name of the file into the nearest text box
files.addEventListener("change", () => { add([...files.files]); files.value = ""; });
buttons.send.addEventListener("click", () => begin(inState("waiting")));
buttons.retry.addEventListener("click", () => again(inState("failed").filter((photo) => photo.mayRetry)));
buttons.clear.addEventListener("click", () => {
  rows = new Map();
  list.replaceChildren();
  album = null;
  albumName.disabled = false;
  say("");
  show();
});
filters.addEventListener("click", (event) => {
  filter = event.target.closest("button")?.dataset.filter ?? filter;
  show();
});
for (const kind of ["dragenter", "dragover"]) {
  window.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
}
window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.classList.remove("over"); });
window.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add([...event.dataTransfer.files]);
});
window.addEventListener("beforeunload", (event) => {
  if (inState("queued", "sending", "cleaning").length) event.preventDefault();
});
