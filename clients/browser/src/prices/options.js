// What may be chosen with a product, what is chosen at first, and what the choice costs: docs/prices.md. Pure.
//
// A choice is a list of option ids, over all groups (attributes) of a product.
import { minorUnits } from "./money.js";

/** @import { Attribute, ChosenOption, Option, Product } from "../types.js" */

/**
 * Why a choice can't be added. `impossible`: no choice satisfies the group; `too_few`, `too_many`: how many it takes;
 * `not_offered`: one of the chosen is sold out, has no price, or isn't there.
 *
 * @typedef {{code: "impossible" | "too_few" | "too_many" | "not_offered", attribute: string, least: number, most: number}}
 *   ChoiceProblem
 */

/**
 * The groups of a product in their order; those that are missing are left out.
 *
 * @param {Product} product
 * @param {{get: (id: string) => Attribute | undefined}} attributes
 * @returns {Attribute[]}
 */
export function groupsOf(product, attributes) {
  const ids = Array.isArray(product.attributes) ? [...new Set(product.attributes)] : [];
  const found = ids.map((id) => attributes.get(id)).filter((attribute) => attribute !== undefined);
  return found.sort(
    (one, other) => byPosition(one, other) || compare(one.name, other.name) || compare(one.id, other.id),
  );
}

/**
 * The options of a group, by position; of the same position as the server sent them.
 *
 * @param {Attribute} attribute
 * @returns {Option[]}
 */
export function optionsOf(attribute) {
  return Array.isArray(attribute.options) ? [...attribute.options].sort(byPosition) : [];
}

/**
 * Whether the option can be chosen: it isn't sold out, and what it costs is a number.
 *
 * @param {Option} option
 */
export function isOffered(option) {
  return option.is_sold_out !== true && minorUnits(option.price_change) !== null;
}

/**
 * How many options a group takes. Nothing satisfies it when `least` is above `most`.
 *
 * @param {Attribute} attribute
 * @returns {{least: number, most: number}}
 */
export function limitsOf(attribute) {
  const there = optionsOf(attribute).filter(isOffered).length;
  const most = Math.min(there, attribute.choice === "one" ? 1 : there, counted(attribute.max, there));
  return { least: Math.max(counted(attribute.min, 0), attribute.is_required === true ? 1 : 0), most };
}

/**
 * What is chosen before anybody chose: the defaults that are offered, as many as the group takes.
 *
 * @param {Iterable<Attribute>} groups
 * @returns {string[]}
 */
export function preselected(groups) {
  return [...groups].flatMap((attribute) => {
    const defaults = optionsOf(attribute).filter((option) => option.is_default === true && isOffered(option));
    return defaults.slice(0, limitsOf(attribute).most).map((option) => option.id);
  });
}

/**
 * The choice after a tap on an option. In a group of `one` it replaces the other one; a chosen one is taken away,
 * unless the group needs exactly that one. The choice itself when the option can't be chosen now.
 *
 * @param {Attribute} attribute
 * @param {readonly string[]} chosen
 * @param {string} id of the option
 * @returns {readonly string[]}
 */
export function toggled(attribute, chosen, id) {
  const options = optionsOf(attribute);
  const { least, most } = limitsOf(attribute);
  const others = options.filter((option) => option.id !== id && chosen.includes(option.id)).map((option) => option.id);
  if (chosen.includes(id)) {
    return attribute.choice === "one" && least > 0 && !others.length ? chosen : chosen.filter((other) => other !== id);
  }
  const option = options.find((each) => each.id === id);
  if (!option || !isOffered(option)) return chosen;
  if (attribute.choice === "one") return [...chosen.filter((other) => !others.includes(other)), id];
  return others.length < most ? [...chosen, id] : chosen;
}

/**
 * What is wrong with a choice, group by group; empty when it can be added.
 *
 * @param {Iterable<Attribute>} groups
 * @param {readonly string[]} chosen
 * @returns {ChoiceProblem[]}
 */
export function problemsOf(groups, chosen) {
  return [...groups].flatMap((attribute) => {
    const { least, most } = limitsOf(attribute);
    const those = optionsOf(attribute).filter((option) => chosen.includes(option.id));
    /** @type {ChoiceProblem["code"] | undefined} */
    let code;
    if (least > most) code = "impossible";
    else if (!those.every(isOffered)) code = "not_offered";
    else if (those.length < least) code = "too_few";
    else if (those.length > most) code = "too_many";
    return code ? [{ code, attribute: attribute.id, least, most }] : [];
  });
}

/**
 * The chosen options by group and position, each with what it costs: of those of a group that cost something the first
 * `free` cost nothing. One whose price is no number costs nothing either; `problemsOf` names it.
 *
 * @param {Iterable<Attribute>} groups
 * @param {readonly string[]} chosen
 * @returns {ChosenOption[]}
 */
export function chosenOptions(groups, chosen) {
  return [...groups].flatMap((attribute) => {
    let free = counted(attribute.free, 0);
    return optionsOf(attribute)
      .filter((option) => chosen.includes(option.id))
      .map((option) => {
        let amount = minorUnits(option.price_change) ?? 0;
        if (amount > 0 && free > 0) {
          free -= 1;
          amount = 0;
        }
        return { id: option.id, name: option.name, amount };
      });
  });
}

/**
 * @param {unknown} value a number that isn't negative, or anything else
 * @param {number} otherwise
 */
function counted(value, otherwise) {
  return typeof value === "number" && value >= 0 ? value : otherwise;
}

/**
 * @param {{position: number}} one
 * @param {{position: number}} other
 */
function byPosition(one, other) {
  return (one.position || 0) - (other.position || 0);
}

/**
 * @param {string} one
 * @param {string} other
 */
function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}
