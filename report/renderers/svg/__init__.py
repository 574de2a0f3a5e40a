"""Charts as SVG, drawn in Python: for the page before its script runs, for print, and as pictures.

``chart`` draws any block that is a chart, in classes that the page's style sheet colours;
``picture`` makes of it a file that stands alone and is light or dark as its reader is.
"""

from __future__ import annotations

from pathlib import Path

from gcreplay.report.renderers.svg.bars import bars_svg
from gcreplay.report.renderers.svg.distribution import distribution_svg
from gcreplay.report.renderers.svg.graph import graph_svg
from gcreplay.report.renderers.svg.palette import picture_variables
from gcreplay.report.renderers.svg.scatter import scatter_svg
from gcreplay.report.renderers.svg.series import series_svg
from gcreplay.report.view import Bars, Distribution, Graph, Scatter, Series

__all__ = [
    "Chart",
    "bars_svg",
    "chart",
    "chart_style",
    "distribution_svg",
    "graph_svg",
    "picture",
    "scatter_svg",
    "series_svg",
]

Chart = Series | Distribution | Scatter | Bars | Graph


def chart(block: Chart, width: float = 760) -> str:
    """The drawing of a chart at that width in pixels; a graph has a width of its own."""
    match block:
        case Series():
            return series_svg(block, width)
        case Distribution():
            return distribution_svg(block, width)
        case Scatter():
            return scatter_svg(block, width)
        case Bars():
            return bars_svg(block, width)
        case Graph():
            return graph_svg(block)


def picture(block: Chart, width: float = 760) -> str:
    """The content of an .svg file: no title, no network, its style within."""
    drawn = chart(block, width)
    style = f"<style>{picture_variables()} svg {{ background: var(--ground) }} {chart_style()}"
    return drawn.replace(">", f">{style}</style>", 1)


def chart_style() -> str:
    """The style sheet of all charts; it needs the variables of `palette`."""
    return (Path(__file__).parent / "chart.css").read_text("utf-8")
