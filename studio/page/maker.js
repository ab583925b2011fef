// One of the two forms, Create or Improve: what is asked for, and what comes of it.
import { ask, element, isAnswered, newId, pictureOf, text } from "./api.js";
import { compare } from "./compare.js";
import { isUnderWay } from "./card.js";
import { Picker } from "./picker.js";

export class Maker {
  // `improves`: a photo goes in. `asked`: called with the item when the server has it.
  constructor(form, { improves, asked, actions }) {
    this.form = form;
    this.improves = improves;
    this.asked = asked;
    this.actions = actions;
    this.result = form.parentElement.querySelector(".result");
    this.problem = form.querySelector("[role=alert]");
    this.button = form.querySelector("[type=submit]");
    this.photo = null; // the stored hash of what is improved
    this.item = null;
    this.picker = new Picker(form.querySelector(".picker"), (product) => this.chose(product));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    form.addEventListener("input", () => this.intends());
    if (improves) this.takePhotos();
    this.intends();
    this.show();
  }

  // One id for each intention, not for each click: pressed twice, lost on the way and sent again, it is one picture.
  intends() {
    this.id = newId();
  }

  chose(product) {
    this.intends();
    if (this.improves) this.setPhoto(product?.image ?? null);
    this.show();
  }

  takePhotos() {
    const drop = this.form.querySelector(".drop");
    const file = drop.querySelector("input");
    this.preview = drop.querySelector("img");
    file.addEventListener("change", () => { this.upload(file.files[0]); file.value = ""; });
    for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.remove("over"); });
    drop.addEventListener("drop", (event) => this.upload(event.dataTransfer.files[0]));
  }

  async upload(file) {
    if (!file) return;
    this.busy = true;
    this.show();
    try {
      const image = await ask("POST", "/api/images", file);
      this.intends();
      this.setPhoto(image.hash);
      this.say("");
    } catch (error) {
      this.say(error.words);
    }
    this.busy = false;
    this.show();
  }

  setPhoto(hash) {
    this.photo = hash;
    this.preview.hidden = !hash;
    if (hash) this.preview.src = `/api/image/${hash}.jpg?w=640`;
  }

  async send() {
    const words = this.form.elements.prompt?.value.trim() ?? "";
    const product = this.picker.product?.id;
    if (this.improves ? !this.photo : !words && !product) return this.say(text(this.improves ? "choose_photo" : "choose_something"));
    const body = { id: this.id, style: this.form.elements.style.value };
    if (words) body.prompt = words;
    if (product) body.product = product;
    if (this.improves) body.source = this.photo;
    this.busy = true;
    this.say("");
    this.show();
    try {
      this.hear(await ask("POST", "/api/image/generate", body, { Prefer: "respond-async" }));
      this.asked(this.item);
      this.intends();
    } catch (error) {
      this.say(error.words);
      if (isAnswered(error)) this.intends(); // lost on the way, it stays the same intention
    }
    this.busy = false;
    this.show();
  }

  say(words) {
    this.problem.textContent = words;
    this.problem.hidden = !words;
  }

  hear(item) {
    this.item = item;
    this.show();
  }

  show() {
    this.button.disabled = Boolean(this.busy);
    const { item } = this;
    const shown = item && `${item.id} ${item.status} ${item.placed} ${item.product} ${item.hash}`;
    if (shown === this.shown) return;
    this.shown = shown;
    if (!item) return;
    if (isUnderWay(item)) {
      this.result.replaceChildren(element("p", { class: "waiting", role: "status" }, text("under_way")));
    } else if (item.status === "failed") {
      this.result.replaceChildren(element("p", { class: "problem", role: "status" }, text(`error_${item.error}`)), ...this.actions(item));
    } else {
      const picture = item.source && item.hash
        ? compare(`/api/image/${item.source}.jpg`, pictureOf(item))
        : element("img", { src: pictureOf(item), alt: item.prompt || text("picture") });
      const where = item.product ? element("p", { class: "note" }, text(item.placed ? "placed" : "not_placed")) : null;
      this.result.replaceChildren(picture, ...[where].filter(Boolean), element("div", { class: "buttons" }, ...this.actions(item)));
    }
  }
}
