// What the admin's theme leaves out for those who use a keyboard, or hear the page: docs/adr/0005-dependencies.md.
const PRESSED = "[x-on\\:click]:not(button, input, label, select, a[href])"; // what only a mouse can press
const LISTS = ".select2-selection";

function labelOf(select) {
  const label = select?.id && document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
  return select?.getAttribute("aria-label") || label?.textContent.trim().replace(/\*$/, "");
}

// Names for what the theme shows by an icon alone, in the language of the page.
function nameOf(element) {
  const texts = document.getElementById("access-texts")?.dataset ?? {}; // not on the page of the login
  if (element.matches("#searchbar-submit, #command-submit")) return texts.search;
  if (element.getAttribute("x-on:click")?.includes("idebar")) return texts.menu;
  if (element.matches("[x-ref^=relatedWidget], [x-on\\:click*=elatedWidget]")) return texts.more;
  if (element.matches("a[href]") && element.title) return element.title;
  return element.matches("a[href]") ? texts.home : texts.more;
}

// Whether nothing of it is read aloud: an icon's text is its name for the font.
function isNameless(element) {
  if (element.getAttribute("aria-label") || element.getAttribute("aria-labelledby")) return false;
  if (element.matches(".material-symbols-outlined")) return true;
  const copy = element.cloneNode(true);
  for (const icon of copy.querySelectorAll(".material-symbols-outlined:not([role=img])")) icon.remove();
  return !copy.textContent.trim() && !copy.querySelector("img[alt]:not([alt='']), [aria-label]");
}

function mend(root) {
  for (const pressed of root.querySelectorAll(PRESSED)) {
    if (pressed.hasAttribute("tabindex") || pressed.querySelector("button, input, a[href]")) continue;
    pressed.tabIndex = 0;
    pressed.setAttribute("role", "button");
  }
  for (const element of root.querySelectorAll("a[href], button, [role=button]")) {
    const name = isNameless(element) && nameOf(element);
    if (name) element.setAttribute("aria-label", name);
  }
  const icons = ".material-symbols-outlined:not([aria-hidden], [role])";
  for (const icon of root.querySelectorAll(icons)) icon.setAttribute("aria-hidden", "true");
  for (const chosen of root.querySelectorAll(LISTS)) {
    const select = chosen.closest(".select2-container")?.previousElementSibling;
    const label = labelOf(select);
    if (!label) continue;
    chosen.setAttribute("aria-label", label);
    for (const inner of chosen.querySelectorAll("[role=textbox], [role=searchbox], input")) inner.setAttribute("aria-label", label);
  }
  root.querySelectorAll(".simplebar-content-wrapper[role=region]").forEach((region) => {
    region.removeAttribute("role");
    region.removeAttribute("aria-label");
  });
}

document.addEventListener("keydown", (event) => {
  if (!["Enter", " "].includes(event.key) || !event.target.matches?.(`${PRESSED}[role=button]`)) return;
  event.preventDefault();
  event.target.click();
});

document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("main")?.setAttribute("role", "main");
  mend(document);
  let isDue = false;
  new MutationObserver(() => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => { isDue = false; mend(document); });
  }).observe(document.body, { childList: true, subtree: true });
});
