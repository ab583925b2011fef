// Searching the menu: every word, without accents or case, anywhere in a product's names and numbers. No DOM in here.

/**
 * @typedef {{id: string, name: string, short_name?: string, kitchen_name?: string, sku?: string, barcode?: string,
 *   tags?: string[]}} Product
 * @typedef {{product: Product, name: string, text: string, numbers: string[]}} Indexed
 * @typedef {{ids: string[], exact: string | null}} Found  exact: the product whose SKU or barcode was typed
 */

const NONE = /** @type {Found} */ ({ ids: [], exact: null });

/** One form for what looks alike: no accents, no case, wide and narrow signs the same. */
export const plain = (/** @type {unknown} */ text) =>
  String(text ?? "")
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase();

export class SearchIndex {
  /** @type {Map<string, Indexed>} */
  #indexed = new Map();
  /** @type {Map<string, string>} */
  #tags = new Map();
  /** What was searched last, in the order of the menu: it stays while somebody types. */
  #lined = line([], [], []);

  /** @param {Iterable<{id: string, name: string}>} tags */
  takeTags(tags) {
    this.#tags = new Map([...tags].map((tag) => [tag.id, plain(tag.name)]));
    this.#indexed.clear();
    this.#lined = line([], [], []);
  }

  /**
   * Reads the products that changed since. What isn't read in time is read by the next call, or by the search.
   * @param {readonly Product[]} products
   * @param {() => boolean} isTimeOver
   * @returns {boolean} whether all are read
   */
  read(products, isTimeOver = () => false) {
    let read = 0;
    for (const product of products) {
      if (this.#indexed.get(product.id)?.product === product) continue;
      this.#indexed.set(product.id, this.#index(product));
      read += 1;
      if (read % 100 === 0 && isTimeOver()) return false;
    }
    return true;
  }

  /**
   * @param {string} query
   * @param {readonly Product[]} products
   * @param {readonly string[]} order the ids that may be found, in the order of the menu
   * @returns {Found} the exact number first, then names that begin so, then words of names, then the rest
   */
  search(query, products, order) {
    const words = plain(query).split(/\s+/).filter(Boolean);
    if (!words.length) return NONE;
    const whole = words.join(" ");
    const joined = words.join("");
    /** @type {string[][]} */
    const ranks = [[], [], [], []];
    const rarest = words.reduce((one, other) => (other.length > one.length ? other : one));
    const { entries, text, starts } = this.#line(products, order);
    let entry = 0;
    for (let at = text.indexOf(rarest); at >= 0; at = text.indexOf(rarest, starts[entry + 1])) {
      while (starts[entry + 1] <= at) entry += 1;
      const found = entries[entry];
      if (words.length > 1 && !hasAll(found.text, words)) continue;
      ranks[rankOf(found, words, at - starts[entry], whole, joined)].push(found.product.id);
    }
    return { ids: ranks.flat(), exact: ranks[0].length === 1 ? ranks[0][0] : null };
  }

  /**
   * @param {readonly Product[]} products
   * @param {readonly string[]} order
   */
  #line(products, order) {
    if (products !== this.#lined.products || order !== this.#lined.order) {
      this.read(products);
      const entries = order.flatMap((id) => this.#indexed.get(id) ?? []);
      this.#lined = line(products, order, entries);
    }
    return this.#lined;
  }

  /** @param {Product} product */
  #index(product) {
    const numbers = [product.sku, product.barcode].map((number) => plain(number).replace(/\s+/g, "")).filter(Boolean);
    const tags = Array.isArray(product.tags) ? product.tags.map((id) => this.#tags.get(id)) : [];
    const name = plain(product.name);
    const texts = [name, plain(product.short_name), plain(product.kitchen_name), ...numbers, ...tags];
    return { product, name, text: texts.filter(Boolean).join("\n"), numbers };
  }
}

/**
 * The texts of ``entries`` in one: the browser's own search runs through all of them, and 20,000 calls are none.
 * @param {readonly Product[]} products
 * @param {readonly string[]} order
 * @param {Indexed[]} entries
 */
function line(products, order, entries) {
  const starts = new Uint32Array(entries.length + 1);
  entries.forEach(({ text }, at) => {
    starts[at + 1] = starts[at] + text.length + 1;
  });
  return { products, order, entries, text: entries.map(({ text }) => `${text}\n`).join(""), starts };
}

// Loops without functions in them: these run 20,000 times for a key.

/** @param {string} text @param {readonly string[]} words */
function hasAll(text, words) {
  for (const word of words) if (!text.includes(word)) return false;
  return true;
}

/**
 * @param {Indexed} found
 * @param {readonly string[]} words
 * @param {number} first where the text has the word, if it is one; the name is its beginning
 * @param {string} whole
 * @param {string} joined
 */
function rankOf({ name, numbers }, words, first, whole, joined) {
  for (const number of numbers) if (number === joined) return 0;
  if (words.length === 1) {
    if (first === 0) return name ? 1 : 3;
    if (first >= name.length) return 3;
    return name[first - 1] === " " || name.includes(` ${whole}`) ? 2 : 3;
  }
  if (name.startsWith(whole)) return 1;
  for (const word of words) if (!name.startsWith(word) && !name.includes(` ${word}`)) return 3;
  return 2;
}

/**
 * @param {{tags?: string[]}} product
 * @param {ReadonlySet<string>} diets tags that it must have
 * @param {ReadonlySet<string>} allergens tags that it must not have
 */
export function suits(product, diets, allergens) {
  const tags = Array.isArray(product.tags) ? product.tags : [];
  return [...diets].every((tag) => tags.includes(tag)) && !tags.some((tag) => allergens.has(tag));
}
