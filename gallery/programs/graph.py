"""A large graph of networkx is loaded and then asked: nearly all objects live to the end.

While it grows the collector looks at all of it again and again. A mark stands where the graph is
loaded and at each question. The stub makes it run unrecorded.
"""

import networkx

try:
    from gcreplay_capture import mark
except ImportError:

    def mark(label):
        """Without a recording there is nothing to mark."""


PLACES = 20_000


def load():
    graph = networkx.Graph()
    for place in range(PLACES):
        graph.add_node(place, tags=[place % 7, place % 11])
        for step in (1, 17, 331):
            graph.add_edge(place, (place * 31 + step) % PLACES, length=1 + place % 13)
    return graph


def main():
    graph = load()
    mark("loaded")
    steps = 0
    for number in range(20):
        mark(f"question {number}")
        near = networkx.single_source_shortest_path(graph, number * 701 % PLACES, cutoff=5)
        steps += sum(map(len, near.values()))
    print(f"{PLACES} places, {graph.number_of_edges()} ways, {steps} steps")


if __name__ == "__main__":
    main()
