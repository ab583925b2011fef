// The oldest browsers that our files run in as they are: Chrome and Edge 109, Safari 16.4, Firefox 115.
export const TARGETS = ["chrome109", "edge109", "safari16.4", "firefox115"];
