import type { Terminal } from "../src/types.js";

declare global {
  /** The page's terminal: for integrators, and for tests. */
  var redcoral: Terminal;
}
