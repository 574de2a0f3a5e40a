"""The pages of the gallery, from the figures that were kept."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from gallery.comparison import memory, misses, rows
from gallery.entry import Entry
from gallery.figures import Figures, load
from gallery.measure import BUILD, PYTHON, ROOT, policies, record_command

FOLDER = ROOT / "docs" / "gallery"


def results(entry: Entry) -> Path:
    return FOLDER / f"{entry.name}.json"


def write(entries: tuple[Entry, ...]) -> None:
    """All pages; raises SystemExit with what is no longer true, and writes nothing then."""
    known = {entry: load(results(entry)) for entry in entries if results(entry).exists()}
    wrong = [each for entry, figures in known.items() for each in untrue(entry, figures)]
    if wrong:
        raise SystemExit("\n".join(["gallery: no longer true, so no page is written:", *wrong]))
    for name, text in texts(known).items():
        (FOLDER / name).write_text(text)


def texts(known: Mapping[Entry, Figures]) -> dict[str, str]:
    """The pages by the names of their files."""
    pages = {f"{entry.name}.md": page(entry, figures) for entry, figures in known.items()}
    return pages | {"index.md": index(known)}


def untrue(entry: Entry, figures: Figures) -> list[str]:
    """The sentences of the answer that do not hold."""
    wrong = [claim for claim in entry.answer if not claim.holds(figures)]
    return [f"{entry.name}: {claim.text.format(f=figures)}" for claim in wrong]


def index(known: Mapping[Entry, Figures]) -> str:
    lines = [
        "# Gallery",
        "",
        "Ten real programs, each with a question, its answer in three sentences, and what was",
        "predicted from one recording beside what real runs did, where it missed too.",
        "`make gallery` makes all of it anew. [Collectors at work](pictures.md) has pictures",
        "of two further runs.",
        "",
        "| program | kind | question | answer |",
        "|---|---|---|---|",
    ]
    for entry, figures in known.items():
        link = f"[{entry.title}]({entry.name}.md)"
        first = entry.answer[0].text.format(f=figures)
        lines.append(f"| {link} | {entry.kind} | {entry.question} | {first} |")
    return "\n".join(lines) + "\n"


def page(entry: Entry, figures: Figures) -> str:
    parts = [
        f"# {entry.title}",
        f"**{entry.question}**",
        " ".join(claim.text.format(f=figures) for claim in entry.answer),
        *shown(entry),
        *report(entry),
        "## Predicted, and real",
        "\n".join(rows(figures)),
        "*collections*: of the young, the middle and the old generation; *found*: objects that "
        "they found to be garbage; *tracked*: the most objects that the collector knew when a "
        "collection began; times in milliseconds, empty where none can be estimated.",
        "\n".join(f"* {each}" for each in misses(figures)),
        "\n".join(memory(figures)),
        *changed(entry),
        "## Run it yourself",
        "After `make gallery`, which sets up the environment, in the checkout:",
        "```console\n" + "\n".join(commands(entry)) + "\n```",
        made(entry, figures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def shown(entry: Entry) -> Iterator[str]:
    yield f"![{entry.drawn.says}]({entry.name}.svg)"
    yield entry.drawn.says


def report(entry: Entry) -> Iterator[str]:
    if (FOLDER / f"{entry.name}.html").exists():
        yield f"[The whole report]({entry.name}.html) is one file; open it in a browser."


def changed(entry: Entry) -> Iterator[str]:
    if (change := entry.change) is not None:
        yield "What was changed:"
        old = [f"-    {line.strip()}" for line in change.before.splitlines()]
        new = [f"+    {line.strip()}".rstrip() for line in change.after.splitlines()]
        yield "```diff\n" + "\n".join([*old, *new]) + "\n```"


def commands(entry: Entry) -> Iterator[str]:
    """What the figures come from, to be typed in the checkout."""
    trace = str(BUILD.relative_to(ROOT) / f"{entry.name}.gcreplay")
    python = str(PYTHON.relative_to(ROOT))
    show, *options = entry.shows.split()
    yield "$ export PYTHONHASHSEED=0 PATH=$PWD/.venv/bin:$PATH"
    yield shell(python, *record_command(entry))
    yield shell(python, "verify", trace)
    if show != "replay":
        yield shell(python, show, trace, *options)
    if entry.settings:
        proved = ["--trace", trace, *policies(entry.settings), "--python", python]
        yield shell(python, "replay", trace, *policies(entry.settings))
        yield shell(python, "prove", "--pauses", *proved, entry.program, *entry.arguments)
    if entry.change is not None and entry.change.predicted_by:
        yield shell(python, "replay", trace, *entry.change.predicted_by)


def shell(python: str, *words: str) -> str:
    return "$ gcreplay " + shlex.join(python if word == str(PYTHON) else word for word in words)


def made(entry: Entry, figures: Figures) -> str:
    packages = "".join(f", {name} {version}" for name, version in figures.packages)
    return (
        f"The program is [`{entry.program}`](../../{entry.program}); its recording holds "
        f"{figures.events:,} events of {figures.objects:,} objects, and `verify` says: "
        f"{figures.verdict}. Made with CPython {figures.python}{packages}, by gcreplay at commit "
        f"{figures.commit}. Counts are the same each time but for what the program itself does "
        f"differently; times are those of one machine, with other work on it."
    )
