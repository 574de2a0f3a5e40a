"""The figures of a series for the page's script, compressed.

Whole numbers are written as differences of 32 bits, and float64 where that is too narrow; means as
float32: they are shown with three or four digits, of which float32 keeps seven. What is drawn high
or low is therefore exact, and what is said in words is the same as in Python. The bytes of one
significance stand together, as zlib then finds more to save.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np

from gcreplay.report.renderers.svg import Chart
from gcreplay.report.renderers.svg.draw import shown
from gcreplay.report.view import F64, Line, Series


def chart_data(block: Chart) -> str:
    """JSON for a script element, "" for a chart that needs no data: its drawing says all."""
    if not isinstance(block, Series):
        return ""
    return _json(
        {
            "xUnit": block.x_unit,
            "yUnit": block.y_unit,
            "deadline": block.deadline,
            "scale": _time_scale(block),
            "start": packed(np.round(block.start / _time_scale(block))),
            "lines": [_line(line) for line in block.lines],
            "moments": _moments(block),
        }
    )


def _json(what: Any) -> str:
    """JSON that no HTML parser takes for an end of its element."""
    written = json.dumps(what, separators=(",", ":"), allow_nan=False)
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _time_scale(block: Series) -> float:
    """Seconds are written as whole nanoseconds, in which no drawing shows a difference."""
    return 1e-9 if block.x_unit == "s" else 1.0


def _line(line: Line) -> dict[str, Any]:
    """A line without a band says its values once."""
    flat = np.array_equal(line.low, line.mean, equal_nan=True) and np.array_equal(
        line.high, line.mean, equal_nan=True
    )
    values = {"low": packed(line.low)} if flat else {
        "low": packed(line.low),
        "high": packed(line.high),
        "mean": packed(line.mean.astype(np.float32)),
    }
    return {"name": shown(line.name), **values}


def _moments(block: Series) -> dict[str, Any]:
    kinds = sorted({m.kind for m in block.moments})
    moments = sorted(block.moments, key=lambda m: m.at)
    heights = [np.nan if m.value is None else m.value for m in moments]
    return {
        "kinds": [shown(kind) for kind in kinds],
        "kind": packed(np.array([kinds.index(m.kind) for m in moments], dtype=np.float64)),
        "at": packed(np.array([m.at for m in moments], dtype=np.float64)),
        "value": packed(np.array(heights, dtype=np.float64)),
        "text": _squeezed(json.dumps([shown(m.text) for m in moments]).encode("utf-8")),
    }


def packed(values: F64 | np.ndarray) -> dict[str, Any]:
    """An array as text: `as` says how, see `decode.js`."""
    if values.dtype == np.float32:
        return {"as": "f4", "n": len(values), "z": _shuffled(values)}
    whole = np.isfinite(values).all() and (values == np.round(values)).all()
    if whole and (np.abs(values) < 2.0**53).all():
        steps = np.diff(values, prepend=0.0)
        if (np.abs(steps) < 2.0**31).all():
            return {"as": "i4", "n": len(values), "z": _shuffled(steps.astype(np.int32))}
    return {"as": "f8", "n": len(values), "z": _shuffled(values.astype(np.float64))}


def _shuffled(values: np.ndarray) -> str:
    little = values.astype(values.dtype.newbyteorder("<"))
    planes = little.view(np.uint8).reshape(-1, values.dtype.itemsize).T
    return _squeezed(planes.tobytes())


def _squeezed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")
