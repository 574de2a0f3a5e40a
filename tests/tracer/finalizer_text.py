"""Programs that leave rings to the collector, whose finalizers or callbacks run."""

PROGRAMS = {
    "a finalizer that breaks its own cycle": (
        "D",
        """
        class D:
            def __del__(self): ran.append(None); self.me = None
        for i in range(3000): d = D(); d.me = d
        """,
    ),
    "a finalizer that gives its object something": (
        "D",
        """
        class D:
            def __del__(self): ran.append(None); self.given = [1, 2]
        for i in range(3000): d = D(); d.me = d
        """,
    ),
    "a suspended generator that gives what holds it something": (
        "generator",
        """
        class Node: pass
        def suspended(node):
            try: yield
            finally: ran.append(None); node.given = {1: [2]}
        for i in range(3000): n = Node(); n.me = n; n.g = suspended(n); next(n.g)
        """,
    ),
    "a suspended generator": (
        "generator",
        """
        class Node: pass
        def suspended(node):
            try: yield
            finally: ran.append(None); node.me = None
        for i in range(3000): n = Node(); n.me = n; n.g = suspended(n); next(n.g)
        """,
    ),
    "a suspended coroutine": (
        "coroutine",
        """
        class Node:
            def __await__(self): yield
        async def suspended(node):
            try: await node
            finally: ran.append(None); node.me = None
        for i in range(3000): n = Node(); n.me = n; n.c = suspended(n); n.c.send(None)
        """,
    ),
    "weakref.finalize": (
        "ReferenceType",
        """
        import weakref
        class Node: pass
        for i in range(3000):
            n = Node(); n.me = n
            weakref.finalize(n, ran.append, None).atexit = i % 2 == 0
        """,
    ),
    "a WeakValueDictionary": (
        "KeyedRef",
        """
        import weakref
        class Node: pass
        values = weakref.WeakValueDictionary()
        for i in range(3000): n = Node(); n.me = n; values[i] = n
        ran = [None] * (3000 - len(values))
        """,
    ),
    "a WeakSet": (
        "ReferenceType",
        """
        import weakref
        class Node: pass
        nodes = weakref.WeakSet()
        for i in range(3000): n = Node(); n.me = n; nodes.add(n)
        ran = [None] * (3000 - len(nodes))
        """,
    ),
    "a callback that allocates": (
        "ReferenceType",
        """
        import weakref
        class Node: pass
        class Made: pass
        def gone(ref): ran.append(Made()); refs.remove(ref)
        refs = []
        for i in range(3000): n = Node(); n.me = n; refs.append(weakref.ref(n, gone))
        """,
    ),
}
BEGIN = "import gc; ran = []\n"
