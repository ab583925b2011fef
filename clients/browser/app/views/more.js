import { html } from "../../vendor/lit.js";
import { Element } from "../parts/element.js";

class More extends Element {
  /** @override */
  draw() {
    return html`<p class="empty">…</p>`;
  }
}

customElements.define("rc-more", More);
