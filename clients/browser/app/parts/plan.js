// Where the tables of a zone stand on its plan, in pixels. No DOM in here.

/**
 * @typedef {{id: string, x?: number, y?: number, width?: number, height?: number, rotation?: number, shape?: string}} Table
 * @typedef {{id: string, left: number, top: number, width: number, height: number, rotation: number, isRound: boolean}} Placed
 *   pixels from the plan's upper left corner, before the table is turned around its middle
 */

const SIDE = 80; // of a table that doesn't say
const LARGEST = 6; // times as wide as the view: a plan that would be wider is drawn smaller than a finger

const CROWDED = 1.5; // as much larger than they are tables may be drawn before the plan grows out of its view
const SCALE = 2.5; // pixels for a centimetre, at most
const FAR = 1e6;

const pixels = (/** @type {number} */ length) => Math.round(length * 10) / 10;

const number = (/** @type {unknown} */ value) =>
  Number.isFinite(value) ? Math.min(Math.max(Number(value), -FAR), FAR) : 0;
const side = (/** @type {unknown} */ value) => Math.abs(number(value)) || SIDE;

/** @param {Table} table */
function measured(table) {
  const [width, height] = [side(table.width), side(table.height)];
  const rotation = ((number(table.rotation) % 360) + 360) % 360;
  const [x, y] = [number(table.x) + width / 2, number(table.y) + height / 2];
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const reach = { x: (width * cos + height * sin) / 2, y: (width * sin + height * cos) / 2 };
  return { id: table.id, x, y, width, height, rotation, reach, isRound: table.shape === "round" };
}

/**
 * Fits the view, unless a table would be smaller than a finger: then the plan is larger than its view, within reason,
 * and a table that is still too small is drawn larger than it is.
 * @param {Table[]} tables
 * @param {{width: number, height?: number, finger?: number, margin?: number}} view pixels; a finger needs so many
 * @returns {{tables: Placed[], width: number, height: number, scale: number}}
 */
export function layPlan(tables, { width, height = Number.POSITIVE_INFINITY, finger = 48, margin = 12 }) {
  const all = tables.map(measured);
  if (!all.length) return { tables: [], width, height: 0, scale: 1 };
  const left = Math.min(...all.map((table) => table.x - table.reach.x));
  const right = Math.max(...all.map((table) => table.x + table.reach.x));
  const top = Math.min(...all.map((table) => table.y - table.reach.y));
  const bottom = Math.max(...all.map((table) => table.y + table.reach.y));
  const room = Math.max(1, width - 2 * margin);
  const fitting = Math.min(room / (right - left), Math.max(1, height - 2 * margin) / (bottom - top));
  const needed = finger / Math.min(...all.map((table) => Math.min(table.width, table.height)));
  const largest = (room * LARGEST) / Math.max(right - left, bottom - top);
  const wanted = fitting * CROWDED < needed ? needed : fitting;
  const scale = Math.min(wanted, largest, SCALE);
  const aside = Math.max(margin, (width - (right - left) * scale) / 2); // in the middle
  const placed = all.map((table) => {
    const [wide, high] = [Math.max(finger, table.width * scale), Math.max(finger, table.height * scale)];
    return {
      id: table.id,
      left: pixels(aside + (table.x - left) * scale - wide / 2),
      top: pixels(margin + (table.y - top) * scale - high / 2),
      width: pixels(wide),
      height: pixels(high),
      rotation: table.rotation,
      isRound: table.isRound,
    };
  });
  return {
    tables: placed,
    width: pixels(Math.max(width, (right - left) * scale + 2 * margin)),
    height: pixels((bottom - top) * scale + 2 * margin),
    scale,
  };
}
