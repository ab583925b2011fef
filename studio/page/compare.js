// Two pictures, one over the other: a slider shows more of one or of the other.
import { element, text } from "./api.js";

export function compare(before, after) {
  const range = element("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": text("compare") });
  const figure = element("figure", { class: "compare" },
    element("div", { class: "both" },
      element("img", { src: after, alt: text("after") }),
      element("img", { src: before, alt: text("before"), class: "before" }),
      element("span", { class: "handle", "aria-hidden": "true" })),
    element("figcaption", {}, element("span", {}, text("before")), element("span", {}, text("after"))),
    range);
  const move = () => figure.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", move);
  move();
  return figure;
}
