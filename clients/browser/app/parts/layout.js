// Where the rows of a long list stand, in pixels. No DOM in here.

/**
 * @typedef {import("./catalogue.js").Section} Section
 * @typedef {{top: number, height: number, heading: Section | null, items: string[]}} Row
 * @typedef {{columns: number, card: number, heading: number, gap: number}} Measures
 */

/**
 * @param {Section[]} sections one of them alone has no heading
 * @param {Measures} measures
 * @returns {{rows: Row[], height: number}}
 */
export function layRows(sections, { columns, card, heading, gap }) {
  /** @type {Row[]} */
  const rows = [];
  let top = 0;
  for (const section of sections) {
    if (sections.length > 1) {
      rows.push({ top, height: heading, heading: section, items: [] });
      top += heading + gap;
    }
    for (let start = 0; start < section.items.length; start += columns) {
      rows.push({ top, height: card, heading: null, items: section.items.slice(start, start + columns) });
      top += card + gap;
    }
  }
  return { rows, height: Math.max(0, top - gap) };
}

/**
 * @param {Row[]} rows
 * @param {number} from
 * @param {number} to
 * @returns {[number, number]} the first row that reaches below `from`, and the one after the last that begins above `to`
 */
export function rowsBetween(rows, from, to) {
  return [partition(rows, (row) => row.top + row.height < from), partition(rows, (row) => row.top < to)];
}

/**
 * How many rows from the start on fulfil the condition, by halving.
 * @param {Row[]} rows
 * @param {(row: Row) => boolean} isBefore
 */
function partition(rows, isBefore) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(rows[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * As many columns as fit, at least one.
 * @param {number} width of the list
 * @param {number} narrowest width of a card
 * @param {number} gap
 */
export const columnsIn = (width, narrowest, gap) => Math.max(1, Math.floor((width + gap) / (narrowest + gap)) || 1);
