// The page that shows an enrolment code: copies it, and says when its device is in.
const page = document.getElementById("content-main");
const state = document.getElementById("enrolment-state");
const EVERY = 2000; // ms
const LIFETIME = 15 * 60 * 1000; // of a code

// On http://192.168.… there is no navigator.clipboard.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

for (const button of page.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await copy(button.dataset.copy);
    button.textContent = page.dataset.copied;
  });
}

const until = Date.now() + LIFETIME;
async function look() {
  const answer = await fetch(page.dataset.device, { headers: { Accept: "application/json" } }).catch(() => null);
  const name = answer?.ok ? (await answer.json()).name : null;
  if (name) state.textContent = page.dataset.in.replace("{name}", name);
  else if (Date.now() < until) setTimeout(look, EVERY);
}
look();
