export { createParser, ParseError } from "eventsource-parser";
