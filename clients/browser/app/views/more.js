// Languages, look, installing, what changed, and what helps when something is wrong.

import { html, nothing } from "../../vendor/lit.js";
import { Element } from "../parts/element.js";
import { kept, say } from "../parts/notices.js";
import "../parts/state.js";
import { copy, installing, isApple, isInstalled, overHttp } from "../parts/platform.js";
import { LANGUAGES, spoken, t } from "../parts/texts.js";
import { takeUpdate, update } from "../parts/update.js";
import { report, terminal } from "../parts/world.js";
import { diagnose, reported } from "./diagnostics.js";

const THEMES = /** @type {const} */ ({
  light: () => t("Light"),
  dark: () => t("Dark"),
  system: () => t("As the system"),
});

class More extends Element {
  /** @type {import("./diagnostics.js").Finding[] | null} */
  #findings = null;

  /** @override */
  watched() {
    return [terminal.settings, terminal.device, update, installing];
  }

  /** @override */
  draw() {
    const { theme = "system" } = terminal.settings.getSnapshot();
    const device = terminal.device.getSnapshot();
    const set = (/** @type {string} */ name, /** @type {string | undefined} */ value) => () =>
      void kept(terminal.settings.set(name, value));
    return html`
      <div class="page">
        ${overHttp()}
        <h2>${t("Language")}</h2>
        <div class="card-box">
          <div class="line">
            <div class="segments" role="group" aria-label=${t("Language")}>
              ${Object.entries(LANGUAGES).map(
                ([
                  name,
                  said,
                ]) => html`<button type="button" data-language=${name} lang=${name === "zh-hans" ? "zh-Hans" : name}
                  aria-pressed=${spoken() === name} @click=${set("language", name)}>${said}</button>`,
              )}
            </div>
          </div>
        </div>
        <h2>${t("Look")}</h2>
        <div class="card-box">
          <div class="line">
            <div class="segments" role="group" aria-label=${t("Look")}>
              ${Object.entries(THEMES).map(
                ([name, said]) => html`<button type="button" data-theme-choice=${name} aria-pressed=${theme === name}
                  @click=${set("theme", name === "system" ? undefined : name)}>${said()}</button>`,
              )}
            </div>
          </div>
        </div>
        <h2>${t("This terminal")}</h2>
        <div class="card-box">
          ${this.#install()}
          ${this.#version()}
          <div class="line">
            <span>${t("Device")}: ${device?.name ?? t("not enrolled")}</span>
            <a class="button" href="#/enrol">${device ? t("Enrol again") : t("Enrol this device")}</a>
          </div>
        </div>
        <h2>${t("What changed")}</h2>
        <div class="card-box"><rc-changes></rc-changes></div>
        <h2>${t("When something is wrong")}</h2>
        <div class="card-box">${this.#diagnostics()}</div>
      </div>
    `;
  }

  #install() {
    const install = installing.getSnapshot();
    if (isInstalled() || !globalThis.isSecureContext) return nothing;
    if (install) {
      return html`<div class="line">
        <span>${t("Installed, it starts like an app, and is cleared less easily.")}</span>
        <button class="button" type="button" data-do="install" @click=${install}>${t("Install")}</button>
      </div>`;
    }
    return isApple() ? html`<p class="line">${t("To install it: tap Share, then “Add to Home Screen”.")}</p>` : nothing;
  }

  #version() {
    const { build, offered } = update.getSnapshot();
    return html`<div class="line">
      <span>${t("Version {build}", { build: build.slice(0, 12) })}</span>
      ${offered ? html`<button class="button" type="button" @click=${takeUpdate}>${t("Take the new version")}</button>` : nothing}
    </div>`;
  }

  #diagnostics() {
    const findings = this.#findings;
    return html`
      ${findings?.map(
        ({ name, value, isGood }) => html`<div class="line" data-finding>
          <span>${name}</span><span class=${isGood ? "" : "problem"}>${value}</span>
        </div>`,
      )}
      <div class="line buttons">
        <button class="button" type="button" data-do="diagnose" @click=${this.#diagnose}>${t("Look for the reason")}</button>
        ${findings ? html`<button class="button" type="button" data-do="report" @click=${this.#copy}>${t("Copy report")}</button>` : nothing}
      </div>
    `;
  }

  #diagnose = async () => {
    this.#findings = await diagnose().catch((error) => {
      report(error);
      return [];
    });
    this.requestUpdate();
  };

  #copy = async () => {
    try {
      await copy(reported(this.#findings ?? []));
      say({ name: "copied", text: t("Copied.") });
    } catch (error) {
      report(error);
      say({ name: "failed", text: t("This didn't work.") });
    }
  };
}

customElements.define("rc-more", More);
