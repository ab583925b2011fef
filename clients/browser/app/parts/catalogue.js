// What is on the menu and in which order: the categories as a tree, the products of each sorted. No DOM in here.

/**
 * @typedef {{id: string, name: string, position?: number, parent?: string | null, color?: string, is_active?: boolean}} Category
 * @typedef {{id: string, name: string, position?: number, category?: string, is_active?: boolean}} Product
 * @typedef {{id: string, name: string, color: string, depth: number}} Entry  a category where it stands in the menu
 * @typedef {{id: string, name: string, depth: number, items: string[]}} Section  a category and the ids of its products
 */

const { compare } = new Intl.Collator(undefined, { numeric: true });
const place = (/** @type {unknown} */ value) => (Number.isFinite(value) ? Number(value) : 0);

/**
 * By position, then name, then id: never by chance.
 * @param {{id: string, name: string, position?: number}} one
 * @param {{id: string, name: string, position?: number}} other
 */
export const inOrder = (one, other) =>
  place(one.position) - place(other.position) ||
  compare(String(one.name), String(other.name)) ||
  (one.id < other.id ? -1 : 1);

/**
 * The parent of each category. One that is missing, or that is its own ancestor, has none: so every category is
 * reached from the top, once.
 * @param {Map<string, Category>} categories
 */
function parents(categories) {
  /** @type {Map<string, string | null>} */
  const found = new Map();
  for (const start of categories.keys()) {
    /** @type {string[]} */
    const path = [];
    /** @type {string | null} */
    let id = start;
    while (id !== null && !found.has(id) && !path.includes(id)) {
      path.push(id);
      /** @type {string | null} */
      const parent = /** @type {Category} */ (categories.get(id)).parent ?? null;
      id = parent !== null && categories.has(parent) ? parent : null;
    }
    const circle = id === null ? -1 : path.indexOf(id);
    path.forEach((one, index) => {
      const isInCircle = circle >= 0 && index >= circle;
      found.set(one, isInCircle ? null : (path[index + 1] ?? id));
    });
  }
  return found;
}

/**
 * The categories that are shown, each followed by those below it. An inactive one is left out with all below it.
 * @param {Map<string, Category>} categories
 * @returns {Entry[]}
 */
export function menuTree(categories) {
  const parentOf = parents(categories);
  /** @type {Map<string | null, Category[]>} */
  const below = new Map();
  for (const category of categories.values()) {
    if (category.is_active === false) continue;
    const parent = parentOf.get(category.id) ?? null;
    below.set(parent, [...(below.get(parent) ?? []), category]);
  }
  /** @type {Entry[]} */
  const entries = [];
  const waiting = (below.get(null) ?? [])
    .sort(inOrder)
    .reverse()
    .map((category) => ({ category, depth: 0 }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { category, depth } = next;
    entries.push({ id: category.id, name: String(category.name), color: category.color ?? "", depth });
    const children = (below.get(category.id) ?? []).sort(inOrder).reverse();
    waiting.push(...children.map((child) => ({ category: child, depth: depth + 1 })));
  }
  return entries;
}

/** The section of products whose category isn't there. */
export const ELSEWHERE = "";

/** Keeps the order of the menu while products change: only the category that a change concerns is sorted again. */
export class Catalogue {
  /** Raised whenever what is shown, or its order, is another: not by a price. */
  version = 0;
  /** @type {Entry[]} */
  tree = [];
  /** @type {readonly Category[]} */
  #taken = [];
  /** @type {Map<string, Category>} */
  #categories = new Map();
  /** @type {Set<string>} */
  #shown = new Set();
  /** @type {readonly Product[]} */
  #products = [];
  /** @type {Map<string, Product>} */
  #seen = new Map();
  /** @type {{version: number, ids: string[]}} */
  #order = { version: -1, ids: [] };
  /** @type {Map<string, {members: Map<string, Product>, sorted: string[] | null}>} */
  #groups = new Map();

  /** @param {readonly Category[]} categories */
  takeCategories(categories) {
    if (categories === this.#taken) return;
    this.#taken = categories;
    this.#categories = new Map(categories.map((category) => [category.id, category]));
    this.tree = menuTree(this.#categories);
    this.#shown = new Set(this.tree.map((entry) => entry.id));
    this.version += 1;
  }

  /**
   * Compares by identity, so that it needs no list of changes: 20,000 products take about a millisecond.
   * @param {readonly Product[]} products
   */
  takeProducts(products) {
    if (products === this.#products) return;
    this.#products = products;
    for (const product of products) {
      const before = this.#seen.get(product.id);
      if (before === product) continue;
      this.#seen.set(product.id, product);
      if (before && isSamePlace(before, product)) continue;
      if (before) this.#leave(before);
      if (product.is_active !== false) this.#enter(product);
    }
    if (this.#seen.size === products.length) return;
    const there = new Set(products.map((product) => product.id));
    for (const [id, product] of this.#seen) {
      if (there.has(id)) continue;
      this.#seen.delete(id);
      this.#leave(product);
    }
  }

  /** @param {Product | undefined} product */
  isShown(product) {
    return Boolean(product) && product?.is_active !== false && !this.#isHidden(product?.category ?? ELSEWHERE);
  }

  /**
   * @param {string | null} category with all below it; null for the whole menu
   * @returns {Section[]} without the empty ones
   */
  sections(category) {
    const from = this.tree.findIndex((entry) => entry.id === category);
    const top = this.tree[from];
    const end = this.tree.findIndex((entry, index) => index > from && entry.depth <= (top?.depth ?? 0));
    const entries = category === null ? this.tree : top ? this.tree.slice(from, end < 0 ? undefined : end) : [];
    const sections = entries.map(({ id, name, depth }) => ({ id, name, depth, items: this.#sorted(id) }));
    if (category === null || category === ELSEWHERE) {
      const items = [...this.#groups.keys()]
        .filter((id) => !this.#categories.has(id))
        .flatMap((id) => this.#sorted(id));
      sections.push({ id: ELSEWHERE, name: "", depth: 0, items });
    }
    return sections.filter((section) => section.items.length);
  }

  /** The ids of all that is shown, in the order of the menu; the same list until that changes. */
  order() {
    if (this.#order.version !== this.version) {
      this.#order = { version: this.version, ids: this.sections(null).flatMap((section) => section.items) };
    }
    return this.#order.ids;
  }

  /** @param {string} category */
  #isHidden(category) {
    return this.#categories.has(category) && !this.#shown.has(category);
  }

  /** @param {Product} product */
  #group(product) {
    const id = product.category ?? ELSEWHERE;
    const group = this.#groups.get(id) ?? { members: new Map(), sorted: null };
    this.#groups.set(id, group);
    return group;
  }

  /** @param {Product} product */
  #enter(product) {
    const group = this.#group(product);
    group.members.set(product.id, product);
    group.sorted = null;
    this.version += 1;
  }

  /** @param {Product} product */
  #leave(product) {
    const group = this.#group(product);
    if (!group.members.delete(product.id)) return;
    group.sorted = null;
    if (!group.members.size) this.#groups.delete(product.category ?? ELSEWHERE);
    this.version += 1;
  }

  /** @param {string} category */
  #sorted(category) {
    const group = this.#groups.get(category);
    if (!group) return [];
    group.sorted ??= [...group.members.values()].sort(inOrder).map((product) => product.id);
    return group.sorted;
  }
}

/**
 * @param {Product} one
 * @param {Product} other
 */
const isSamePlace = (one, other) =>
  one.category === other.category &&
  one.name === other.name &&
  one.position === other.position &&
  one.is_active !== false &&
  other.is_active !== false;
