"""The site: `make docs` builds it from these pages into build/docs. Any warning is an error.

Sphinx itself checks links between pages, their anchors, pictures and glossary terms. Links to
other sites are listed in `external-links.txt` beside the pages, and never fetched.
"""

import re
from pathlib import Path

from docutils import nodes

ROOT = Path(__file__).parent.parent

project = "gcreplay"
html_title = "gcreplay"
extensions = ["myst_parser"]
exclude_patterns = ["conf.py"]
myst_heading_anchors = 4  # the anchors that a Git host gives to headings

html_theme = "furo"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

# This page stands beside the programs it is about; `gallery/examples.md` takes it into the site.
EXAMPLES = re.compile(r"\]\((?:\.\./)+examples/README\.md")

external: set[str] = set()


def take_examples_in(app, docname, source):
    """A link to examples/README.md leads to the page of the site that holds it."""
    up = "../" * docname.count("/")
    source[0] = EXAMPLES.sub(f"]({up}gallery/examples.md", source[0])


def note_external_links(app, doctree, docname):
    """Remember what leads to other sites."""
    for link in doctree.findall(nodes.reference):
        target = link.get("refuri", "")
        if target.startswith(("http://", "https://")):
            external.add(f"{target}  {docname}")


def list_external_links(app, error):
    """Write down what was remembered, in the same order each time."""
    if error is None:
        listed = Path(app.outdir) / "external-links.txt"
        listed.write_text("".join(f"{line}\n" for line in sorted(external)))
        print(f"{len(external)} links to other sites are listed in {listed.relative_to(ROOT)}")


def setup(app):
    app.connect("source-read", take_examples_in)
    app.connect("doctree-resolved", note_external_links)
    app.connect("build-finished", list_external_links)
