// Modal sheets.

/**
 * Shows an element as a modal sheet until it is closed: by itself, by Escape, by the way back, or by a tap beside it.
 * @param {HTMLElement} content
 * @param {string} className
 * @param {{sheet?: string, labelledby: string}} more
 * @returns {Promise<string>} what it was closed with
 */
export async function openDialog(content, className, { sheet, labelledby }) {
  const dialog = document.createElement("dialog");
  dialog.className = className;
  if (sheet !== undefined) dialog.dataset.sheet = sheet;
  dialog.setAttribute("aria-labelledby", labelledby);
  dialog.append(content);
  document.body.append(dialog);
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const leave = () => dialog.close();
  addEventListener("hashchange", leave);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) leave();
  });
  await /** @type {any} */ (content).updateComplete; // or nothing in it could have the focus
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      removeEventListener("hashchange", leave);
      const toasts = dialog.querySelector(":scope > rc-toasts");
      if (toasts) document.body.append(toasts);
      dialog.remove();
      before?.focus({ preventScroll: true });
      resolve(dialog.returnValue);
    });
  });
}
