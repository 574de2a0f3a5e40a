"""How objects refer to each other, in words: names of references, titles of objects, paths.

* `names`: what a recording says of them; start here.
* `births`: type and site of every object.
"""

from .births import Births, births_of
from .names import Edge, Names, folded

__all__ = ["Births", "Edge", "Names", "births_of", "folded"]
