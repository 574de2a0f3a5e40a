from ..events import U8, U32

def encode(op: U8, a: U32, b: U32, c: U32, first_object: int) -> tuple[list[bytes], list[int]]: ...
def decode(
    streams: list[bytes],
    first_object: int,
    op: U8,
    a: U32,
    b: U32,
    c: U32,
    labelled_counts: bool = True,
) -> list[int]: ...
