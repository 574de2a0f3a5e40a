"""An exception kept in a variable of the function that its traceback names. `cut`: the variable is
cleared."""

import sys

CUT = "cut" in sys.argv[1:]


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [[i, bytes(200)] for i in range(10)]


def charge(order):
    raise ValueError(order.number)


def checkout(order):
    error = None
    try:
        charge(order)
    except ValueError as refused:
        error = refused
    told = str(error)
    if CUT:
        error = None
    return told


refused = [[number, checkout(Order(number))] for number in range(4_000)]
