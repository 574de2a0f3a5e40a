"""Jinja renders pages: much text, few objects that the collector has to look at.

A mark stands at each request. The stub makes it run unrecorded.
"""

import jinja2

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


PAGES = {
    "base.html": """<html><h1>{% block title %}{% endblock %}</h1>
{% block body %}{% endblock %}</html>""",
    "shop.html": """{% extends "base.html" %}
{% block title %}Shop {{ number }}{% endblock %}
{% block body %}
{% for item in items %}
<p class="{{ loop.cycle('odd', 'even') }}">
{{ item|upper }}: {{ "%.2f"|format(loop.index * 1.5) }}</p>
{% else %}nothing{% endfor %}
{% endblock %}""",
}


def main():
    pages = jinja2.Environment(loader=jinja2.DictLoader(PAGES), autoescape=True)
    items = [f"item <{i}>" for i in range(200)]
    length = 0
    for number in range(150):
        mark(f"request {number}")
        length += len(pages.get_template("shop.html").render(number=number, items=items))
    print(f"150 pages, {length} characters")


if __name__ == "__main__":
    main()
