from ..events import U8, U32

class State:
    live: int
    culprit: int
    def __init__(
        self, flags: U32, sites: int, labels: int, arguments: int, found_heap: bool
    ) -> None: ...
    def feed(self, op: U8, a: U32, b: U32, c: U32) -> tuple[int, int]: ...
    def sift(
        self, recorded: State, op: U8, a: U32, b: U32, c: U32, left_out: U8, keep: U8
    ) -> tuple[int, int]: ...
