import { html } from "../../vendor/lit.js";
import { Element } from "../parts/element.js";

class Storage extends Element {
  /** @override */
  draw() {
    return html`<p class="empty">…</p>`;
  }
}

customElements.define("rc-storage", Storage);
