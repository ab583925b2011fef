import { html } from "../../vendor/lit.js";
import { Element } from "./element.js";
import { terminal } from "./world.js";

class Indicator extends Element {
  /** @override */
  watched() {
    return [terminal.connection];
  }

  /** @override */
  draw() {
    const { state } = terminal.connection.getSnapshot();
    return html`<span data-connection=${state.replaceAll(" ", "-")}>${state}</span>`;
  }
}

customElements.define("rc-indicator", Indicator);
