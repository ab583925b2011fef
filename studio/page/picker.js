// Finds a product by a few letters: a combobox with a list, for keyboard and finger.
import { ask, element, text } from "./api.js";

const FOUND = 8;

export class Picker {
  constructor(place, chosen) {
    this.input = place.querySelector("input");
    this.list = place.querySelector("[role=listbox]");
    this.clear = place.querySelector("button");
    this.picture = place.querySelector("img");
    this.chosen = chosen;
    this.product = null;
    this.found = [];
    this.active = -1;
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("focus", () => this.soon());
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose(this.found[Number(option.dataset.at)]);
    });
    this.clear.addEventListener("click", () => { this.choose(null); this.input.focus(); });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(this.input.value.trim()), 150);
  }

  async find(words) {
    if (this.product?.name === words) words = "";
    const query = new URLSearchParams({ limit: FOUND, ordering: "name", ...(words && { search: words }) });
    const answer = await ask("GET", `/api/products?${query}`).catch(() => ({ results: [] }));
    if (document.activeElement !== this.input) return;
    this.found = answer.results;
    this.active = -1;
    this.show();
  }

  show() {
    const options = this.found.map((product, at) =>
      element("li", { role: "option", id: `${this.list.id}-${at}`, "data-at": at, "aria-selected": String(at === this.active) },
        product.image ? element("img", { src: `/api/image/${product.image}.jpg?w=160`, alt: "" }) : element("span", { class: "no-picture" }),
        product.name));
    this.list.replaceChildren(...(options.length ? options : [element("li", { class: "none" }, text("nothing_found"))]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-activedescendant", this.active < 0 ? "" : `${this.list.id}-${this.active}`);
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.value = this.product?.name ?? "";
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found.length) {
      event.preventDefault();
      const from = this.active < 0 && step < 0 ? 0 : this.active;
      this.active = (from + step + this.found.length) % this.found.length;
      this.show();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!this.list.hidden && this.found.length) this.choose(this.found[Math.max(0, this.active)]);
    } else if (event.key === "Escape") this.close();
  }

  choose(product) {
    this.product = product;
    this.clear.hidden = !product;
    this.picture.hidden = !product?.image;
    if (product?.image) this.picture.src = `/api/image/${product.image}.jpg?w=160`;
    this.close();
    this.chosen(product);
  }
}
