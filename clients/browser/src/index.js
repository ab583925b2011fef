// The public names. What they are and do: README.md; their shapes: types.js.

export * from "./errors.js";
export { RESOURCES, Terminal } from "./terminal.js";
