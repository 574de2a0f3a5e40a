"""Bullets, 2,000 at a time, that are made and dropped: nothing here is ever cyclic garbage.

Each has two lists. At a threshold of 1,000 the collector walks them again and again and finds
nothing; at 10,000 it never runs. `gcreplay tune` says so.
"""


class Bullet:
    def __init__(self, number):
        self.position = [number, number]
        self.velocity = [1, -1]


def main():
    fired = 0
    for _ in range(100):
        bullets = [Bullet(number) for number in range(2000)]
        fired += len(bullets)
        del bullets
    print(f"{fired} bullets")


if __name__ == "__main__":
    main()
