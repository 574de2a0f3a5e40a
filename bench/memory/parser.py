"""A parser's tree: documents read into nodes that know their parents, asked, and dropped."""

from xml.dom.minidom import parseString


def text(n):
    rows = "".join(
        f'<row id="{n}-{i}" kind="{"odd" if i % 2 else "even"}"><name>row {i}</name>'
        f"<note>{'words that say something ' * (i % 7)}</note></row>"
        for i in range(800)
    )
    return f"<table>{rows}</table>"


found = 0
for n in range(20):
    document = parseString(text(n))
    for row in document.getElementsByTagName("row"):
        found += row.getAttribute("kind") == "odd" and row.firstChild.firstChild is not None
print(found)
