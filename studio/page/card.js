// One picture of the history: how it looks, and what can be done with it.
import { element, pictureOf, text } from "./api.js";

export const isUnderWay = (item) => item.status === "pending" || item.status === "generating";

const ICONS = {
  star: "M12 3l2.7 5.6 6.1.9-4.4 4.3 1 6.1L12 17l-5.4 2.9 1-6.1L3.200 9.500l6.100-.9z",
  download: "M12 4v11m0 0l-4.500-4.500M12 15l4.500-4.500M5 19h14",
  bin: "M5 7h14M10 7V5h4v2m-7 0l1 12h8l1-12",
  place: "M4 12l5 5L20 6",
  undo: "M9 6L4 11l5 5M4 11h10a5 5 0 0 1 0 10h-2",
  again: "M19 12a7 7 0 1 1-2-5m2-3v4h-4",
};

function drawn(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// Made once each: a history has a thousand cards.
const drawings = Object.fromEntries(Object.keys(ICONS).map((name) => [name, drawn(name)]));
const icon = (name) => drawings[name].cloneNode(true);
const moments = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

export const button = (name, sign, onclick, more = {}) =>
  element("button", { type: "button", class: "action", title: text(name), "aria-label": text(name), onclick, ...more }, icon(sign));

export class Card {
  // `history` has the pictures; `does`: what can be done with an item.
  constructor(history, does) {
    this.history = history;
    this.does = does;
    this.element = element("li", { class: "card" });
    this.isSeen = false;
  }

  show(item, name) {
    if (item === this.item && name === this.name) return;
    this.leave();
    this.item = item;
    this.name = name;
    this.title = item.prompt || name || text(`kind_${item.kind}`);
    this.element.dataset.status = item.status;
    this.element.replaceChildren(this.picture(item), this.words(item), element("div", { class: "actions" }, ...this.actions(item)));
    if (this.isSeen) this.appear();
  }

  // The card is on the screen, or near it: its picture comes, from this device or from the server.
  appear() {
    this.isSeen = true;
    const { hash } = this.item;
    if (this.unsubscribe || this.item.status !== "ready") return;
    if (!hash) return this.paint(pictureOf(this.item));
    this.unsubscribe = this.history.thumbnails.subscribe(hash, () => this.look());
    this.look();
  }

  leave() {
    this.unsubscribe?.();
    this.unsubscribe = null;
  }

  async look() {
    const { item } = this;
    const { url, status } = this.history.thumbnails.getSnapshot(item.hash);
    if (url) return this.paint(url);
    if (status !== "failed" && status !== "missing") return;
    const { originals } = this.history;
    await originals.usage(); // now it knows what is here
    const kept = originals.bytes.get(item.r2_key) && (await originals.getImageUrl(item.r2_key).catch(() => null));
    if (item !== this.item) return;
    if (kept) this.paint(kept);
    else this.image.nextSibling.textContent = text(this.history.connection.getSnapshot().state === "live" ? "not_loaded" : "not_here");
  }

  paint(url) {
    if (this.image.getAttribute("src") !== url) this.image.src = url;
    this.image.hidden = false;
    this.image.nextSibling.textContent = "";
  }

  picture(item) {
    if (item.status !== "ready") {
      const waiting = isUnderWay(item);
      this.clock = waiting ? element("span", { class: "clock" }) : null;
      return element("div", { class: "picture" },
        element("span", { class: waiting ? "spinner" : "cross", "aria-hidden": "true" }),
        element("span", { role: "status" }, waiting ? text(item.status) : text(`error_${item.error}`)), this.clock);
    }
    this.image = element("img", { alt: "", decoding: "async", hidden: true });
    const elsewhere = { target: "_blank", rel: "noopener" };
    return element("a", {
      class: "picture", href: pictureOf(item), "aria-label": this.title, ...elsewhere, onclick: (event) => this.open(event, elsewhere),
    }, this.image, element("span"));
  }

  // An original that is on this device isn't asked of the server again.
  async open(event, attributes) {
    const { r2_key: key } = this.item;
    if (!this.history.originals.bytes.get(key)) return;
    event.preventDefault();
    const url = await this.history.originals.getImageUrl(key).catch(() => this.item.r2_url);
    element("a", { href: url, ...attributes }).click();
  }

  words(item) {
    const made = moments.format(new Date(item.timestamp));
    return element("div", { class: "words" }, element("strong", {}, this.title),
      element("small", {}, `${text(`kind_${item.kind}`)} · ${made}${item.placed ? ` · ${text("is_placed")}` : ""}`));
  }

  actions(item) {
    const { does } = this;
    const star = button(item.favorite ? "no_favourite" : "favourite", "star", () => does.favourite(item), { "aria-pressed": String(item.favorite) });
    return [
      ...(item.status === "ready" ? [
        star,
        item.placed ? button("undo", "undo", () => does.undo(item)) : button("use", "place", () => does.use(item)),
        element("a", {
          class: "action", href: item.r2_url || pictureOf(item), download: "", title: text("download"), "aria-label": text("download"),
          onclick: (event) => this.open(event, { download: item.r2_key?.split("_").pop() }),
        }, icon("download")),
      ] : []),
      ...(item.status === "failed" ? [button("again", "again", () => does.again(item))] : []),
      button("delete", "bin", () => does.remove(item)),
    ];
  }

  tick(now) {
    if (this.clock) this.clock.textContent = text("seconds", { seconds: Math.max(0, Math.round((now - Date.parse(this.item.timestamp)) / 1000)) });
  }
}
