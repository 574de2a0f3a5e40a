from typing import Any

import numpy as np
import numpy.typing as npt

from gcreplay.store.events import U32, U64

from ..engine._engine import Engine

COMPONENT_DTYPE: np.dtype[Any]
OBJECT_DTYPE: np.dtype[Any]

class Gathering:
    def __init__(
        self,
        engine: Engine,
        due: U64,
        since: int,
        site: U32,
        rank: npt.NDArray[np.uint8],
        type_of: U32,
        is_dict: npt.NDArray[np.uint8],
        folded: U32,
        attribute: U32,
        own_dict: int,
        indexed: int,
        reading: U32,
        first: U32,
        target: U32,
        label: U32,
    ) -> None: ...
    @property
    def noted(self) -> int: ...
    def note_floating(self) -> None: ...
    def forget(self) -> None: ...
    def objects(self) -> npt.NDArray[Any]: ...
    def take(self) -> tuple[npt.NDArray[Any], U32, U32, U32]: ...
    def example(
        self, number: int, at: int, most: int
    ) -> tuple[list[int], list[tuple[int, int, int, bool]]]: ...
