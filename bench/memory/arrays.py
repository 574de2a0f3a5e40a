"""Numpy arrays in cyclic structures: layers of small models that know the model, and views."""

import numpy

dice = numpy.random.default_rng(7)


class Layer:
    def __init__(self, model, width):
        self.model = model
        self.weights = dice.random((width, 24), dtype=numpy.float32)
        self.bias = numpy.ones(width)
        self.diagonal = self.weights[: width // 2]


class Model:
    def __init__(self, width):
        self.layers = [Layer(self, width) for _ in range(4)]
        self.best = [self.layers[0].weights.copy()]


def trained(width):
    model = Model(width)
    values = model.layers[0].weights @ numpy.ones(24, dtype=numpy.float32)
    return float(values[0])


print(sum(trained(20 + i % 50) for i in range(4000)))
