"""Random programs whose finalizers and callbacks reach what is garbage beside them: they link it,
cut it, save it, lose more of it, and drop what it hung from. See program_text.py."""

from hypothesis import strategies as st
from program_text import ENDING, NAMES, PREAMBLE, filled, statements

REACHING = '''
class Acts:
    def __init__(self, text): self.text = text
    def __del__(self): act(self.text)
watched = []
compiled = functools.cache(lambda text: compile(text, "act", "exec"))
def act(text):
    try: exec(compiled(text), globals())
    except Exception: pass
def on(wanted, text):
    gc.callbacks.append(lambda phase, info: act(text) if phase == wanted else None)
    del gc.callbacks[:-3]
def show(x):
    """x can be reached from now on, for as long as it lives."""
    try: watched.append(weakref.ref(x))
    except TypeError: pass
    del watched[:-30]
def reach():
    """What was shown last and still lives, be it garbage."""
    return next((x for ref in watched[::-1] if (x := ref()) is not None), None)
def lose(x, *rest):
    """x hangs from garbage that can be reached."""
    node = Node(); node.me, node.x, node.rest = node, x, [*rest]; show(node)
def lose_told(x, text):
    """The same, and a weak reference tells of its end."""
    node = Node(); node.me, node.x = node, x; show(node)
    watched.insert(0, weakref.ref(node, lambda ref: act(text)))
'''
ACTS = st.sampled_from(
    [
        "put(reach(), [{x}])", "put(reach(), {x})", "put(reach(), reach())", "put({x}, reach())",
        "cut(reach())", "{x} = reach()", "{x} = [reach()]", "{x} = None", "{x} = Node()",
        "{x}, {y} = {y}, {x}", "cut({x})", "put({x}, {y})", "lose({x}, {y})", "lose(reach())",
        "lose(Acts('{x} = reach()'))", "show({x})", "watched.clear()", "del watched[::2]",
        "{x} = started(reach())", "{x} = failed(reach())", "{x} = closure(reach())",
        "{x} = type('T', (Node,), dict(x={y}))()", "deep({x}, 9)", "[[i, {y}] for i in range(90)]",
        "gc.get_referrers(reach())", "gc.collect(0)", "gc.get_objects()", "reach().__dict__.clear()",
        "vars(reach()).update(x={x}, y=[{y}])", "put(reach(), lambda: {x})", "{x} = vars(reach())",
    ]
)  # fmt: skip


def acts(pattern: str) -> st.SearchStrategy[str]:
    """The pattern with one or more acts, as text in the text, in place of `{act}`."""
    act = st.builds(filled, ACTS, NAMES, NAMES)
    several = st.lists(act, min_size=1, max_size=3).map("; ".join).map(repr)
    return st.builds(
        lambda text, x: pattern.replace("{act}", text).replace("{x}", x), several, NAMES
    )


REACHES = st.one_of(
    acts("on('start', {act})"),
    acts("on('stop', {act})"),
    acts("lose({x}, Acts({act}))"),
    acts("lose({x}, Acts({act}))"),
    acts("for _ in range(40): lose({x}, Acts({act}))"),
    acts("for _ in range(200): lose({x})"),
    acts("lose_told({x}, {act})"),
    acts("for _ in range(40): lose_told({x}, {act})"),
    acts("{x} = Acts({act})"),
    acts("show({x})"),
)

reaching_programs = st.lists(
    st.one_of(statements(), REACHES, REACHES), min_size=5, max_size=25
).map(
    lambda lines: (
        PREAMBLE + REACHING + "\n".join(lines) + "\ngc.callbacks.clear()" + ENDING
        + "print(gc.get_stats(), gc.get_count())"
    )
)  # fmt: skip
"""They print what the collector has done."""
