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

// A part of the page that is drawn again only when what it shows is another: buttons stay under the finger meanwhile.
class Part {
  constructor(attributes, draw) {
    this.element = element("div", attributes);
    this.draw = draw;
  }

  show(...values) {
    const shown = JSON.stringify(values);
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.do : null;
    this.element.replaceChildren(...this.draw(...values).filter(Boolean));
    if (focused) this.element.querySelector(`[data-do="${focused}"]`)?.focus();
  }
}

// How far bringing is, with what can be done about it.
class Progress {
  constructor(history) {
    this.history = history;
    this.words = element("p", { role: "status" });
    this.bar = element("progress", { "aria-label": text("originals") });
    this.buttons = new Part({ class: "buttons" }, (state) => state === "complete" ? [] : [
      state === "full" ? button("again", history.offline.hurry) : state === "paused"
        ? button("go_on", () => history.pause(false))
        : button("pause", () => history.pause(true)),
      button("bring_no_more", () => history.bring("nothing")),
    ]);
    this.element = element("div", { class: "progress" }, this.words, this.bar, this.buttons.element);
  }

  show() {
    const { state, stored, wanted } = this.history.offline.getSnapshot();
    const isLive = this.history.connection.getSnapshot().state === "live";
    const more = state === "complete" ? "" : text(state === "waiting" && isLive ? "bring_later" : `bring_${state}`);
    const words = `${text("of_them_here", { stored: number(stored), wanted: number(wanted) })} ${more}`;
    if (this.words.textContent !== words) this.words.textContent = words;
    this.bar.hidden = !wanted;
    this.bar.max = wanted || 1;
    this.bar.value = stored;
    this.buttons.show(state);
  }
}

// Above the history: asks once on a new device, then says how far it is.
export class Bringing {
  constructor(history, place, failed) {
    this.history = history;
    this.place = place;
    this.failed = failed;
    this.progress = new Progress(history);
    this.question = new Part({}, (count) => this.asking(count));
    place.append(this.question.element, this.progress.element);
    for (const store of [history.offline, history.settings, history.items, history.connection]) store.subscribe(() => this.show());
    this.show();
  }

  show() {
    const { history } = this;
    const { mode, state } = history.offline.getSnapshot();
    const count = history.elsewhere;
    const isAsked = mode === "nothing" && state === "complete" && count > 0 && !history.settings.getSnapshot().later;
    const isUnderWay = mode !== "nothing" && state !== "complete";
    this.place.hidden = !isAsked && !isUnderWay;
    this.question.element.hidden = !isAsked;
    this.progress.element.hidden = !isUnderWay;
    if (isAsked) this.question.show(count);
    if (isUnderWay) this.progress.show();
  }

  asking(count) {
    const bring = (mode) => () => this.history.bring(mode).catch(this.failed);
    return [
      element("p", {}, count === 1 ? text("one_elsewhere") : text("elsewhere", { count: number(count) })),
      element("div", { class: "buttons" },
        button("bring_everything", bring("everything")),
        button("bring_favourites", bring("favourites")),
        element("button", { type: "button", class: "plain", "data-do": "bring_recent", onclick: bring("recent") }, text("the_newest", { count: number(LAST[1]) })),
        button("not_now", () => this.history.settings.set("later", true).catch(this.failed))),
    ];
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
    this.progress = new Progress(history);
    this.problems = new Part({}, (isFull, isKept) => [
      isFull ? element("p", { class: "problem", role: "alert" }, text("not_written")) : null,
      isKept ? null : element("p", { class: "problem" }, text("nothing_kept")),
    ]);
    this.choices = new Part({}, (mode, last) => [this.choosing(mode, last)]);
    this.used = new Part({}, (usage) => usage ? [this.table(usage)] : []);
    this.away = new Part({}, (isPersistent) => [
      isPersistent === null ? null : element("p", { class: "note" }, text(isPersistent ? "protected" : "unprotected")),
      element("div", { class: "buttons" },
        isPersistent === false ? button("protect", () => this.protect()) : null,
        button("remove_here", () => this.sure("remove_here_really", () => this.remove()))),
    ]);
    place.append(
      this.problems.element,
      element("h3", {}, text("originals_here")), this.choices.element, this.progress.element,
      element("h3", {}, text("used")), this.used.element, this.away.element,
      navigator.serviceWorker ? "" : element("p", { class: "note" }, text("plain_http")),
    );
    for (const store of [history.offline, history.settings, history.problem, history.connection]) store.subscribe(() => this.show());
    setInterval(() => this.measure(), OFTEN);
    this.show();
  }

  async measure() {
    if (this.place.closest("[hidden]")) return;
    this.usage = (await this.history.usage().catch(this.failed)) ?? this.usage;
    this.show();
  }

  show() {
    const { history, usage } = this;
    const { mode } = history.offline.getSnapshot();
    this.problems.show(Boolean(history.problem.getSnapshot()), history.databases.items.isKept);
    this.choices.show(mode, Number(history.settings.getSnapshot().offline_count ?? LAST[1]));
    this.progress.element.hidden = mode === "nothing";
    this.progress.show();
    this.used.show(usage);
    this.away.show(usage?.isPersistent ?? null);
  }

  choosing(mode, last) {
    const bring = (wanted, count) => this.history.bring(wanted, count).catch(this.failed);
    const choice = (name, label, ...more) => element("label", {},
      element("input", { type: "radio", name: "keep", value: name, checked: mode === name, "data-do": `keep_${name}`, onchange: () => bring(name, last) }), label, ...more);
    const count = element("select", { "aria-label": text("how_many"), "data-do": "count", onchange: () => bring("recent", Number(count.value)) },
      ...[...new Set([...LAST, last])].sort((one, other) => one - other).map((of) => element("option", { value: of, selected: of === last }, number(of))));
    return element("fieldset", { class: "choices" },
      element("legend", { class: "unseen" }, text("originals_here")),
      choice("everything", text("bring_everything")),
      choice("favourites", text("bring_favourites")),
      choice("recent", text("the_newest_of"), count),
      choice("nothing", text("bring_nothing")));
  }

  table({ items, thumbnails, originals, used, quota }) {
    const rows = [
      [text("list"), size(items)],
      [`${text("thumbnails")} (${number(thumbnails.count)})`, size(thumbnails.bytes)],
      [`${text("originals")} (${number(originals.count)})`, size(originals.bytes)],
      ...(quota ? [[text("browser_allows"), text("used_of", { used: size(used ?? 0), quota: size(quota) })]] : []),
    ];
    return element("dl", { class: "facts" }, ...rows.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
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
