// The product of a photo: a chip that shows it, and a search that finds another one.
import { ask } from "./api.js";
import { text } from "./facts.js";

const FOUND = 8;
const LOOKED_AT = 100;
let made = 0;

// The likeliest first, because Enter takes it: "cola" means Cola, not Chocolate Cake.
function best(products, words) {
  const asked = words.toLowerCase();
  const rank = ({ name, sku }) => {
    const called = [name, sku].map((value) => (value ?? "").toLowerCase());
    if (called.includes(asked)) return 0;
    if (called.some((value) => value.startsWith(asked))) return 1;
    return called.some((value) => value.includes(` ${asked}`)) ? 2 : 3;
  };
  return products.toSorted((one, other) => rank(one) - rank(other)).slice(0, FOUND);
}

export class Picker {
  constructor(place, photo, chosen) {
    this.photo = photo;
    this.chosen = chosen;
    this.chip = place.querySelector(".product-chip");
    this.search = place.querySelector(".product-search");
    this.input = this.search.querySelector("input");
    this.list = this.search.querySelector("ul");
    this.list.id = `products-${(made += 1)}`;
    this.input.setAttribute("aria-controls", this.list.id);
    this.active = -1;
    const picture = this.chip.querySelector("img");
    picture.addEventListener("error", () => { picture.hidden = true; });
    this.chip.addEventListener("click", () => this.open());
    this.input.addEventListener("input", () => this.searchSoon());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the input keeps the focus until the click has chosen
      const option = event.target.closest("li[data-index]");
      if (option) this.choose(Number(option.dataset.index));
    });
  }

  show() {
    const { product, by, mayChooseProduct } = this.photo;
    const picture = this.chip.querySelector("img");
    const shown = product && (this.photo.hash ?? product.image); // once it is ready, what terminals show now
    if (picture.dataset.hash !== (shown ?? "")) {
      picture.dataset.hash = shown ?? "";
      picture.hidden = !shown;
      if (shown) picture.src = `/api/image/${shown}.jpg?w=160`;
    }
    this.chip.querySelector(".product-name").textContent = product ? product.name : text("no_product");
    this.chip.querySelector(".product-by").textContent = product && by ? text(`by_${by}`) : "";
    this.chip.classList.toggle("none", !product);
    this.chip.disabled = !mayChooseProduct;
  }

  open() {
    this.chip.hidden = true;
    this.search.hidden = false;
    this.input.value = "";
    this.input.focus();
    this.offer([]);
    this.find("");
  }

  close() {
    clearTimeout(this.timer);
    this.search.hidden = true;
    this.chip.hidden = false;
    this.input.setAttribute("aria-expanded", "false");
  }

  searchSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.find(this.input.value.trim()), 150);
  }

  async find(words) {
    const query = new URLSearchParams({ limit: words ? LOOKED_AT : FOUND, ordering: "name", ...(words && { search: words }) });
    const answer = await ask("GET", `/api/products?${query}`, undefined, { tries: 2 }).catch(() => ({ results: [] }));
    if (this.input.value.trim() === words && !this.search.hidden) {
      this.offer(words ? best(answer.results, words) : answer.results);
    }
  }

  offer(products) {
    this.products = [null, ...products];
    this.active = products.length ? 1 : 0;
    this.list.replaceChildren(...this.products.map((product, index) => this.option(product, index)));
    if (!products.length && this.input.value.trim()) this.list.append(this.nothing());
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark();
  }

  option(product, index) {
    const item = document.createElement("li");
    item.setAttribute("role", "option");
    item.id = `${this.list.id}-${index}`;
    item.dataset.index = index;
    const name = document.createElement("span");
    name.textContent = product ? product.name : text("no_product");
    item.append(name);
    if (product?.sku) {
      const sku = document.createElement("small");
      sku.textContent = product.sku;
      item.append(sku);
    }
    return item;
  }

  nothing() {
    const item = document.createElement("li");
    item.className = "nothing";
    item.textContent = text("nothing_found");
    return item;
  }

  mark() {
    this.list.querySelectorAll("[data-index]").forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === this.active));
      if (index === this.active) {
        this.input.setAttribute("aria-activedescendant", item.id);
        item.scrollIntoView({ block: "nearest" });
      }
    });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.active = (this.active + step + this.products.length) % this.products.length;
      this.mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.choose(this.active);
    } else if (event.key === "Escape") {
      this.close();
      this.chip.focus();
    }
  }

  choose(index) {
    this.close();
    this.chosen(this.products[index] ?? null);
    this.chip.focus();
  }
}
