// Plays a case of tests/contracts/prices.yaml. As a program: a case in JSON on each line of its input, and what came out
// on each line of its output.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { decimalText, typedMoney, typedWeight } from "../../src/prices/money.js";
import { chosenOptions, groupsOf, limitsOf, preselected, problemsOf } from "../../src/prices/options.js";
import { momentAt, Prices } from "../../src/prices/price.js";
import { amountOf, emptyTicket, offerOf, withOffer } from "../../src/prices/ticket.js";

const byId = (rows) => new Map(rows.map((row) => [row.id, row]));
const text = (units) => (units === null ? null : decimalText(units));

/** The case with all that it doesn't name. */
export function whole(given, asked) {
  const over = (defaults, rows) => rows.map((row) => ({ ...defaults, ...row }));
  const all = { ...given, ...asked };
  return {
    ...all,
    product: { ...given.product, ...asked.product },
    rules: over(given.rule, all.rules),
    categories: over(given.category, all.categories),
    groups: over(given.group, all.groups).map((group) => ({ ...group, options: over(given.option, group.options) })),
  };
}

/** All that can be said of a whole case; money as text. */
export function play({
  at,
  time_zone,
  zone,
  product,
  rules,
  categories,
  groups: known,
  chosen,
  weight,
  typed,
  quantity,
}) {
  const now = Date.parse(at);
  const prices = new Prices({ rules, categories: byId(categories), moment: momentAt(now, time_zone) });
  const { base, amount, rules: applied } = prices.of(product, zone);
  const groups = groupsOf({ ...product, attributes: known.map((group) => group.id) }, byId(known));
  const told = {
    weight: weight === null ? null : typedWeight(weight),
    typed: typed === null ? null : typedMoney(typed),
  };
  const offer = offerOf({ product, prices, zone, groups, chosen, ...told, at: now });
  const ticket = offer && withOffer(emptyTicket(), offer, { id: "line", quantity });
  return {
    price: base === null ? null : { base: text(base), price: text(amount), rules: applied.map((rule) => rule.id) },
    limits: Object.fromEntries(groups.map((group) => [group.id, [limitsOf(group).least, limitsOf(group).most]])),
    preselected: preselected(groups),
    problems: Object.fromEntries(problemsOf(groups, chosen).map(({ attribute, code }) => [attribute, code])),
    charged: Object.fromEntries(chosenOptions(groups, chosen).map((option) => [option.id, text(option.amount)])),
    amount: offer && text(amountOf(offer)),
    line: ticket && text(ticket.total),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(play(JSON.parse(line)))}\n`);
  }
}
