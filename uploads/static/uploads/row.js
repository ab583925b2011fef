// One line of the list: the photo, its product, how far it is.
import { text } from "./facts.js";
import { Picker } from "./picker.js";

const template = document.getElementById("photo-row");
let drawing = Promise.resolve();

export class Row {
  constructor(photo, { chosen, remove, retry }) {
    this.photo = photo;
    this.element = template.content.firstElementChild.cloneNode(true);
    const find = (selector) => this.element.querySelector(selector);
    find(".photo-file strong").textContent = photo.file.name;
    find(".photo-file span").textContent = readable(photo.file.size);
    this.picker = new Picker(find(".photo-product"), photo, chosen);
    this.warning = find(".product-warning");
    this.state = find(".state-text");
    this.progress = find(".photo-state progress");
    this.retry = find("[data-do=retry]");
    this.remove = find("[data-do=remove]");
    this.retry.addEventListener("click", retry);
    this.remove.addEventListener("click", remove);
    // One after the other: fifty photos of 12 megapixels at once would fill the memory.
    drawing = drawing.then(() => draw(photo.file, find("canvas")).catch(() => find("canvas").classList.add("none")));
  }

  show({ isShared }) {
    const { photo } = this;
    this.element.dataset.state = photo.state;
    this.state.textContent = photo.reason || text(photo.state);
    this.progress.hidden = photo.state !== "sending";
    this.progress.value = photo.progress;
    this.retry.hidden = !photo.mayRetry;
    this.remove.hidden = photo.isUnderWay;
    this.warning.hidden = !isShared;
    this.warning.textContent = isShared ? text("same_product") : "";
    this.picker.show();
  }
}

// The middle of the picture as a square. A format that this browser can't show (HEIC, TIFF) is still a good photo.
async function draw(file, canvas) {
  const bitmap = await createImageBitmap(file, { resizeHeight: canvas.height, resizeQuality: "medium" });
  const side = Math.min(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, left, top, side, side, 0, 0, canvas.width, canvas.height);
  bitmap.close();
}

function readable(bytes) {
  const format = (value, unit, digits) =>
    new Intl.NumberFormat(document.documentElement.lang || "en", {
      style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits,
    }).format(value);
  return bytes < 1e6 ? format(bytes && Math.max(1, bytes / 1e3), "kilobyte", 0) : format(bytes / 1e6, "megabyte", 1);
}
