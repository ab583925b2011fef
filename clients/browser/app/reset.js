// Takes the service worker and what it keeps away, then starts the page anew. The databases aren't touched. Should the
// browser not answer, the page goes on by itself (reset.html).

const ours = new URL("../../../", import.meta.url).href; // …/terminal/

async function takeAway() {
  const registrations = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(registrations.filter((one) => one.scope === ours).map((one) => one.unregister()));
  const names = "caches" in globalThis ? await caches.keys() : [];
  await Promise.all(names.filter((name) => name.startsWith("redcoral-")).map((name) => caches.delete(name)));
}

takeAway()
  .catch(() => {})
  .finally(() => location.replace(ours));
