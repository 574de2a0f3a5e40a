from ..events import U8, U32, U64

class State:
    live: int
    culprit: int
    def __init__(self, found_heap: bool) -> None: ...
    def know(self, sizes: U64, flags: U32, sites: int, labels: int, arguments: int) -> None: ...
    def feed(self, op: U8, a: U32, b: U32, c: U32, places: U32, gone: U32) -> tuple[int, int]: ...
    def sift(
        self,
        recorded: State,
        op: U8,
        a: U32,
        b: U32,
        c: U32,
        left_out: U8,
        keep: U8,
        missed: U32,
    ) -> tuple[int, int]: ...
