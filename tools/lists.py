"""``python -m tools.lists`` makes backoffice/lists.css of the theme's stylesheet: its rules under our class names.

Chromium reads the stylesheet, so that selectors are taken apart by who knows them.
"""

from pathlib import Path

import unfold
from playwright.sync_api import sync_playwright

from backoffice.lists import CLASSES

STYLES = Path(unfold.__file__).parent / "static/unfold/css/styles.css"
MADE = Path(__file__).resolve().parent.parent / "backoffice/static/backoffice/lists.css"
LAYERS = "@layer properties, theme, base, components, utilities;"
CHROMIUM = "/usr/bin/chromium"

RENAMED = """([css, classes]) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const found = [];
  const names = Object.entries(classes).map(([ours, theirs]) => [ours, theirs.split(" ")]);
  const visit = (rules, around) => {
    for (const rule of rules) {
      if (rule.selectorText) {
        for (const [ours, tokens] of names) for (const token of tokens) {
          const selector = "." + CSS.escape(token);
          const at = rule.selectorText.indexOf(selector);
          const next = rule.selectorText[at + selector.length];
          if (at < 0 || (next && /[\\w\\\\-]/.test(next))) continue;
          const renamed = rule.selectorText.replace(selector, "." + ours);
          const body = rule.cssText.slice(rule.cssText.indexOf("{"));
          found.push([...around, renamed + " " + body].join(" { ") + " }".repeat(around.length));
        }
      } else if (rule.cssRules) {
        const head = rule.cssText.slice(0, rule.cssText.indexOf("{")).trim();
        visit(rule.cssRules, [...around, head]);
      }
    }
  };
  visit(sheet.cssRules, []);
  return found.join("\\n");
}"""


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox"])
        rules = browser.new_page().evaluate(RENAMED, [STYLES.read_text(), CLASSES])
        browser.close()
    # It is loaded before the theme's, whose layers have to keep their order.
    MADE.write_text(f"/* Made by `python -m tools.lists` of the theme's stylesheet. */\n{LAYERS}\n{rules}\n")


if __name__ == "__main__":
    main()
