// What is on this device: whether it is current, which originals are here or coming, and how much room they take.
import { clock, element, number, size, text } from "./api.js";

const LAST = [20, 50, 100, 500];
const OFTEN = 2_000; // ms between two looks at how much is used, while that is seen

const button = (name, onclick, more = {}) => element("button", { type: "button", class: "plain", "data-do": name, onclick, ...more }, text(name));

// In words, always there: whether what is seen is current.
export function showState(place, { state, asOf, reason }) {
  place.dataset.connection = state.replaceAll(" ", "-");
  const isOut = state === "stopped" && reason?.code !== "another_login";
  const words = text(isOut ? "stopped" : state === "stopped" ? "another_login_short" : state.replaceAll(" ", "_"));
  place.textContent = state !== "live" && asOf ? `${words}, ${text("as_of", { time: clock(asOf) })}` : words;
}

// How far bringing is, with what can be done about it.
function progress(history) {
  const { state, stored, wanted } = history.offline.getSnapshot();
  const isPaused = state === "paused";
  const isOver = state === "complete";
  return element("div", { class: "progress", "data-kept": `${stored}/${wanted}`, "data-state": state },
    element("p", { role: "status" }, text("of_them_here", { stored: number(stored), wanted: number(wanted) }), " ", isOver ? "" : text(`bring_${state}`)),
    wanted ? element("progress", { max: wanted, value: stored, "aria-label": text("originals") }) : null,
    isOver ? null : element("div", { class: "buttons" },
      state === "full" ? button("again", history.offline.hurry) : button(isPaused ? "go_on" : "pause", () => history.pause(!isPaused)),
      button("bring_no_more", () => history.bring("nothing"))));
}

// Above the history: asks once on a new device, then says how far it is.
export class Bringing {
  constructor(history, place, failed) {
    this.history = history;
    this.place = place;
    this.failed = failed;
    for (const store of [history.offline, history.settings, history.items]) store.subscribe(() => this.show());
    this.show();
  }

  show() {
    const { history } = this;
    const { mode, state } = history.offline.getSnapshot();
    const count = history.elsewhere;
    const isAsked = mode === "nothing" && state === "complete" && count > 0 && !history.settings.getSnapshot().later;
    const isUnderWay = mode !== "nothing" && state !== "complete";
    const shown = JSON.stringify([isAsked && count, isUnderWay && history.offline.getSnapshot()]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.place.hidden = !isAsked && !isUnderWay;
    if (isUnderWay) this.place.replaceChildren(progress(history));
    else if (isAsked) this.place.replaceChildren(this.question(count));
  }

  question(count) {
    const bring = (mode) => () => this.history.bring(mode).catch(this.failed);
    return element("div", {},
      element("p", {}, count === 1 ? text("one_elsewhere") : text("elsewhere", { count: number(count) })),
      element("div", { class: "buttons" },
        button("bring_everything", bring("everything")),
        button("bring_favourites", bring("favourites")),
        element("button", { type: "button", class: "plain", "data-do": "bring_recent", onclick: bring("recent") }, text("the_newest", { count: number(LAST[1]) })),
        button("not_now", () => this.history.settings.set("later", true).catch(this.failed))));
  }
}

// The view of its own: which originals are to be here, what is used and for what, and away with it.
export class Kept {
  constructor(history, place, { sure, failed }) {
    this.history = history;
    this.place = place;
    this.sure = sure;
    this.failed = failed;
    this.usage = null;
    for (const store of [history.offline, history.settings, history.problem]) store.subscribe(() => this.show());
    setInterval(() => this.measure(), OFTEN);
  }

  async measure() {
    if (this.place.closest("[hidden]")) return;
    this.usage = (await this.history.usage().catch(this.failed)) ?? this.usage;
    this.show();
  }

  // Drawn again only when something is another: who is in the middle of it keeps the focus.
  show() {
    const { history, usage } = this;
    const now = history.offline.getSnapshot();
    const { offline_count: last = LAST[1] } = history.settings.getSnapshot();
    const shown = JSON.stringify([now, last, usage, String(history.problem.getSnapshot())]);
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.do : null;
    this.place.replaceChildren(...[
      history.problem.getSnapshot() ? element("p", { class: "problem", role: "alert" }, text("not_written")) : null,
      history.databases.items.isKept ? null : element("p", { class: "problem" }, text("nothing_kept")),
      element("h3", {}, text("originals_here")),
      this.choices(now, last),
      now.mode === "nothing" ? null : progress(history),
      element("h3", {}, text("used")),
      ...(usage ? this.used(usage) : []),
      navigator.serviceWorker ? null : element("p", { class: "note" }, text("plain_http")),
    ].filter(Boolean));
    if (focused) this.place.querySelector(`[data-do="${focused}"]`)?.focus();
  }

  choices({ mode }, last) {
    const bring = (wanted, count) => this.history.bring(wanted, count).catch(this.failed);
    const choice = (name, label, ...more) => element("label", {},
      element("input", { type: "radio", name: "keep", value: name, checked: mode === name, "data-do": `keep_${name}`, onchange: () => bring(name, Number(last)) }), label, ...more);
    const count = element("select", { "aria-label": text("how_many"), "data-do": "count", onchange: () => bring("recent", Number(count.value)) },
      ...[...new Set([...LAST, Number(last)])].sort((one, other) => one - other).map((of) => element("option", { value: of, selected: of === Number(last) }, number(of))));
    return element("fieldset", { class: "choices" },
      element("legend", { class: "unseen" }, text("originals_here")),
      choice("everything", text("bring_everything")),
      choice("favourites", text("bring_favourites")),
      choice("recent", text("the_newest_of"), count),
      choice("nothing", text("bring_nothing")));
  }

  used({ items, thumbnails, originals, used, quota, isPersistent }) {
    const rows = [
      [text("list"), size(items)],
      [`${text("thumbnails")} (${number(thumbnails.count)})`, size(thumbnails.bytes)],
      [`${text("originals")} (${number(originals.count)})`, size(originals.bytes)],
      ...(quota ? [[text("browser_allows"), text("used_of", { used: size(used ?? 0), quota: size(quota) })]] : []),
    ];
    return [
      element("dl", { class: "facts" }, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
      isPersistent === null ? null : element("p", { class: "note" }, text(isPersistent ? "protected" : "unprotected")),
      element("div", { class: "buttons" },
        isPersistent === false ? button("protect", () => this.protect()) : null,
        button("remove_here", () => this.sure("remove_here_really", () => this.remove()))),
    ].filter(Boolean);
  }

  async protect() {
    const isProtected = await navigator.storage.persist().catch(() => false);
    if (!isProtected) this.failed(new Error(text("protect_refused")));
    await this.measure();
  }

  async remove() {
    await this.history.removePictures().catch(this.failed);
    await this.measure();
  }
}
