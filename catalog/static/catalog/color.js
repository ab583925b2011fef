// Choosing a colour takes the tick off "No colour".
document.addEventListener("input", (event) => {
  const input = event.target;
  if (input.type !== "color") return;
  const none = input.closest(".color-or-none")?.querySelector("input[type=checkbox]");
  if (none) none.checked = false;
});
