"""``{% lighter %}…{% endlighter %}``: the HTML of a list, a third of its size."""

from typing import Any

from django import template
from django.template.base import NodeList, Parser, Token
from django.utils.safestring import SafeString, mark_safe

from backoffice import lists

register = template.Library()


class Lighter(template.Node):
    def __init__(self, inside: NodeList) -> None:
        self.inside = inside

    def render(self, context: Any) -> SafeString:
        return mark_safe(lists.lighter(self.inside.render(context)))  # noqa: S308 - escaped already, by what made it


@register.tag
def lighter(parser: Parser, token: Token) -> Lighter:
    inside = parser.parse(("endlighter",))
    parser.delete_first_token()
    return Lighter(inside)
