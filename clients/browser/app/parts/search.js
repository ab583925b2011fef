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

  /** @param {Iterable<{id: string, name: string}>} tags */
  takeTags(tags) {
    this.#tags = new Map([...tags].map((tag) => [tag.id, plain(tag.name)]));
    this.#indexed.clear();
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
   * @param {string[]} order the ids that may be found, in the order of the menu
   * @returns {Found} the exact number first, then names that begin so, then words of names, then the rest
   */
  search(query, products, order) {
    const words = plain(query).split(/\s+/).filter(Boolean);
    if (!words.length) return NONE;
    this.read(products);
    const whole = words.join(" ");
    const joined = words.join("");
    /** @type {string[][]} */
    const ranks = [[], [], [], []];
    for (const id of order) {
      const found = this.#indexed.get(id);
      if (!found || !words.every((word) => found.text.includes(word))) continue;
      if (found.numbers.includes(joined)) ranks[0].push(id);
      else if (found.name.startsWith(whole)) ranks[1].push(id);
      else if (words.every((word) => beginsAWord(found.name, word))) ranks[2].push(id);
      else ranks[3].push(id);
    }
    return { ids: ranks.flat(), exact: ranks[0].length === 1 ? ranks[0][0] : null };
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
 * @param {string} text
 * @param {string} word
 */
const beginsAWord = (text, word) => text.startsWith(word) || text.includes(` ${word}`);

/**
 * @param {{tags?: string[]}} product
 * @param {ReadonlySet<string>} diets tags that it must have
 * @param {ReadonlySet<string>} allergens tags that it must not have
 */
export function suits(product, diets, allergens) {
  const tags = Array.isArray(product.tags) ? product.tags : [];
  return [...diets].every((tag) => tags.includes(tag)) && !tags.some((tag) => allergens.has(tag));
}
