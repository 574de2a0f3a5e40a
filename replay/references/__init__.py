"""How objects refer to each other, in words: names of references, titles of objects.

* `names`: what a recording says of them; start here.
* `births`: type and site of every object.
"""

from .births import Births, births_of
from .names import OWN_DICT, Edge, Names, folded, titles

__all__ = ["OWN_DICT", "Births", "Edge", "Names", "births_of", "folded", "titles"]
