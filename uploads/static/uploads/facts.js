// What the server told this page: limits, addresses and texts in the manager's language.
export const facts = JSON.parse(document.getElementById("sender-facts").textContent);

// A text by its name, with %(…)s filled in.
export const text = (name, values = {}) =>
  (facts.texts[name] ?? name).replace(/%\((\w+)\)s/g, (_whole, key) => values[key]);
