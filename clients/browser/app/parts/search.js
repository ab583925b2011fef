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
  #lined = {
    products: /** @type {readonly Product[]} */ ([]),
    order: /** @type {readonly string[]} */ ([]),
    entries: /** @type {Indexed[]} */ ([]),
  };

  /** @param {Iterable<{id: string, name: string}>} tags */
  takeTags(tags) {
    this.#tags = new Map([...tags].map((tag) => [tag.id, plain(tag.name)]));
    this.#indexed.clear();
    this.#lined = { products: [], order: [], entries: [] };
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
    for (const found of this.#line(products, order)) {
      if (hasAll(found.text, words)) ranks[rankOf(found, words, whole, joined)].push(found.product.id);
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
      this.#lined = { products, order, entries };
    }
    return this.#lined.entries;
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

// Loops without functions in them: these run 20,000 times for a key.

/** @param {string} text @param {readonly string[]} words */
function hasAll(text, words) {
  for (const word of words) if (!text.includes(word)) return false;
  return true;
}

/** @param {Indexed} found @param {readonly string[]} words @param {string} whole @param {string} joined */
function rankOf({ name, numbers }, words, whole, joined) {
  if (numbers.includes(joined)) return 0;
  if (name.startsWith(whole)) return 1;
  for (const word of words) {
    const at = name.indexOf(word);
    if (at < 0 || (at > 0 && name[at - 1] !== " " && !name.includes(` ${word}`))) return 3;
  }
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
