"""How figures are written."""

from django import template

register = template.Library()
