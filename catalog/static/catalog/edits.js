// A list whose cells can be edited: how many changes wait, beside Save, and a question before they are lost.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("changelist-form");
  const texts = document.getElementById("edits-texts");
  const button = document.querySelector("button[name=_save]");
  if (!form || !texts || !button) return;

  const cells = [...form.elements].filter((cell) => /^form-\d+-/.test(cell.name) && cell.type !== "hidden");
  const isChanged = (cell) => {
    if (cell.type === "checkbox" || cell.type === "radio") return cell.checked !== cell.defaultChecked;
    if (cell.tagName === "SELECT") return [...cell.options].some((one) => one.selected !== one.defaultSelected);
    return cell.value !== cell.defaultValue;
  };
  const shown = document.createElement("span");
  shown.className = "edits-count";
  shown.setAttribute("role", "status");
  button.before(shown);

  let isSaving = false;
  const waiting = () => cells.filter(isChanged).length;
  const tell = () => {
    const count = waiting();
    shown.textContent = count ? texts.dataset[count === 1 ? "one" : "many"].replace("{count}", count) : "";
  };
  form.addEventListener("input", tell);
  form.addEventListener("change", tell);
  form.addEventListener("submit", () => { isSaving = true; });
  addEventListener("pageshow", tell);
  addEventListener("beforeunload", (event) => {
    if (!isSaving && waiting()) event.preventDefault();
  });
  tell();
});
