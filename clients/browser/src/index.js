// The public names. What they are and do: README.md; their shapes: types.js.

export * from "./errors.js";
export { History } from "./history/history.js";
export { RESOURCES, Terminal } from "./terminal.js";
