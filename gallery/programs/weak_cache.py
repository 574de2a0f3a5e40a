"""A cache that holds its values weakly, and values that only the collector frees.

What is asked for again is there as long as the collector has not come by: how often it is made
anew depends on the collector's settings.
"""

import weakref


class Picture:
    """Knows its layers, and they know it."""

    def __init__(self, name):
        self.name = name
        self.layers = [Layer(self, number) for number in range(8)]


class Layer:
    def __init__(self, picture, number):
        self.picture = picture
        self.points = [number, number + 1]


CACHE = weakref.WeakValueDictionary()
made = 0


def picture(name):
    global made
    found = CACHE.get(name)
    if found is None:
        made += 1
        found = CACHE[name] = Picture(name)
    return found


def main():
    layers = 0
    for number in range(30_000):
        layers += len(picture(f"picture {number * number % 1009}").layers)
    print(f"30000 look-ups, {layers} layers")


if __name__ == "__main__":
    main()
