"""Arrays of numbers and of objects, views, iterators, cycles through an object array."""

import numpy as np


class Node:
    pass


total = 0.0
for i in range(4000):
    node = Node()
    node.array = np.arange(50, dtype=float).reshape(5, 10)
    node.objects = np.array([node, [node], {"i": i}], dtype=object)
    node.views = [node.array[j:, ::2] for j in range(5)]
    total += float(np.einsum("ij,kj->", node.array, node.array[1:]))
    if i % 100 == 0:
        total += float(np.linalg.norm(np.linalg.inv(np.eye(5) + node.array @ node.array.T)))
print(f"{total:.6e}")
