// Plays histories, one line of JSON each, to Rules; answers a line with what each call came to. Started by
// tests/browser/library/test_rules_are_the_same.py.

import { createInterface } from "node:readline";
import { UnexpectedAnswer } from "../src/errors.js";
import { Rules } from "../src/rules.js";

const CALLS = {
  hello: (rules, epoch, versions, cursor, resumed) => rules.hello(epoch, versions, cursor, { resumed }),
  status: (rules, epoch, versions) => rules.status(epoch, versions),
  forget: (rules) => rules.forget(),
  sync: (rules, change, cut, cursor) => rules.sync(change, { cut, cursor }),
  bookmark: (rules, epoch, versions, cursor) => rules.bookmark(epoch, versions, cursor),
  resync: (rules, epoch, versions, resources, cursor) => rules.resync(epoch, versions, resources, cursor),
  snapshot: (rules, resource, epoch, version, items) => rules.snapshot(resource, epoch, version, items),
  delta: (rules, resource, epoch, since, to, head, changes) =>
    rules.delta(resource, epoch, { since, to, head }, changes),
  gone: (rules, resource, epoch, version) => rules.gone(resource, epoch, version),
  unknown: (rules, resource) => rules.unknown(resource),
  next: (rules) => rules.next(),
};

function play({ held, calls }) {
  const rules = new Rules(held);
  return calls.map(([name, ...of]) => {
    let came = null;
    try {
      came = CALLS[name](rules, ...of) ?? null;
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error;
      came = "unexpected";
    }
    return [came, rules.isCurrent, rules.missing];
  });
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(play(JSON.parse(line))));
