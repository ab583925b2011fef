// How a ticket changes: with words when it fails, and a way back.

import { withLineBack, withoutLine } from "../../src/prices/ticket.js";
import { kept, say } from "./notices.js";
import { t } from "./texts.js";
import { terminal } from "./world.js";

/** @import { Ticket } from "../../src/types.js" */

/**
 * Changes a ticket, or says that it couldn't be kept.
 * @param {string} place
 * @param {(ticket: Ticket) => Ticket} change
 */
export const changeTicket = (place, change) => kept(terminal.tickets.change(place, change));

/** Takes a line off, with a way back. @param {string} place @param {string} id */
export async function removeLine(place, id) {
  const { lines } = terminal.tickets.get(place);
  const index = lines.findIndex((line) => line.id === id);
  const line = lines[index];
  if (!line || !(await changeTicket(place, (ticket) => withoutLine(ticket, id)))) return;
  const run = () => void changeTicket(place, (ticket) => withLineBack(ticket, line, index));
  say({ name: "undo", text: t("Removed: {name}", { name: line.name }), action: { label: t("Undo"), run } });
}
