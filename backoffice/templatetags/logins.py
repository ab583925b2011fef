"""What the login page says beside its form."""

from django import template

from devices import logins

register = template.Library()
register.simple_tag(logins.demo_is_open)
