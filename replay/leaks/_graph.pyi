import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

NOT_REACHED: int
IS_START: int

def export(address: int) -> tuple[U32, U32, U32, I64, U64, U32, U32]: ...
def reach(
    begin: U64, target: U32, starts: U32, barred: U8, via: U64, holder: U32, depth: U32
) -> None: ...
def dominators(begin: U64, target: U32, root: U8) -> tuple[I64, U32]: ...
def sum_up(order: U32, dominator: I64, weight: I64) -> None: ...
