"""docutils turns documents into HTML, one after the other.

A document is a tree whose nodes know their parent: each is one large cycle when it is done with.
"""

import docutils.core
import docutils.parsers.rst.directives
import docutils.writers.html5_polyglot

SETTINGS = {
    "embed_stylesheet": False,
    "stylesheet_path": None,
    "stylesheet_dirs": [],
    "_disable_config": True,
    "datestamp": None,
}


def text(number):
    """A document of ten sections with a list, a table, a note and a link each."""
    lines = [f"Document {number}", "=" * 20, ""]
    for section in range(10):
        lines += [f"Section {section}", "-" * 20, ""]
        lines += [f"Some *emphasis*, ``a literal`` and a `link {number} {section}`_.", ""]
        lines += [f".. _link {number} {section}: target-{section}", ""]
        lines += ["* one", "* two", "", "  * deeper", "  * nested", "", "* three", ""]
        lines += ["====  ====", "a     b", "====  ====", f"{section}     {number}"]
        lines += ["====  ====", ""]
        lines += [".. note::", "", "   A note with ``code`` in it.", ""]
    return "\n".join(lines)


def main():
    length = 0
    for number in range(12):
        parts = docutils.core.publish_parts(
            text(number), writer_name="html5", settings_overrides=SETTINGS
        )
        length += len(parts["body"])
    print(f"12 documents, {length} characters of HTML")


if __name__ == "__main__":
    main()
