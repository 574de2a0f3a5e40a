"""The links that a cut means: those that bear its label, and those without a label that are like
them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gcreplay.store.errors import NotFound
from gcreplay.store.log import EventLog
from gcreplay.store.marks import meant
from gcreplay.store.readings import INDEX, label_text

from .cut import Cut
from .links import Links

Mask = npt.NDArray[np.bool_]

DICTIONARY = ".__dict__"
_INDEX = re.compile(r"\[[0-9]{1,9}\]")


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Links that are cut, a mask over `Links`: `labelled` of them bear the label; `alike` bear
    none, but all with a label from holders of that type to targets of that type bear this one;
    `older` more stood before the recording began, and stay."""

    links: Mask
    labelled: int
    alike: int
    older: int


def choose(log: EventLog, links: Links, cuts: Sequence[Cut]) -> Chosen:
    """Raises NotFound for a cut that means no link of the log."""
    names = _Names(log, links)
    alike, labelled = np.zeros((2, len(links.source)), np.bool_)
    for cut in cuts:
        by_label = names.labelled(cut)
        if not by_label.any():
            raise NotFound(names.what_there_is(cut))
        labelled |= by_label
        alike |= names.alike(by_label)
    alike &= ~labelled
    recorded = links.sequence >= np.uint64(log.start_sequence)
    both = (labelled | alike) & recorded
    return Chosen(
        both,
        int(np.count_nonzero(labelled & recorded)),
        int(np.count_nonzero(alike & recorded)),
        int(np.count_nonzero((labelled | alike) & ~recorded)),
    )


class _Names:
    """Holders and labels of a log's links. A dictionary that is an instance's `__dict__` counts as
    that instance."""

    def __init__(self, log: EventLog, links: Links) -> None:
        self._log, self._links = log, links
        self._labels = log.labels
        self._types = [each.qualified for each in log.types]
        self.kind = links.type.astype(np.int64)
        """By object: its type; of an instance's dictionary that type behind all others."""
        self.holder = links.type.astype(np.int64)
        """By object: its type, of an instance's dictionary that of the instance."""
        owns = self._bears((DICTIONARY,)) & ~links.opaque
        owns |= self.alike(owns)
        owned = links.target[owns]
        self.holder[owned] = links.type[links.source[owns]]
        self.kind[owned] = self.holder[owned] + len(self._types)

    def labelled(self, cut: Cut) -> Mask:
        """The links that bear the cut's label and have such a holder."""
        bears = self._bears(cut.labels[:1])
        if len(cut.labels) > 1:
            of_dictionary = self.kind[self._links.source] >= len(self._types)
            bears |= self._bears(cut.labels[1:]) & of_dictionary
        return bears & self._holders(cut)[self._links.source] & ~self._links.opaque

    def alike(self, chosen: Mask) -> Mask:
        """The links without a label between holders and targets of types between which all links
        with a label are chosen."""
        links = self._links
        types = np.int64(len(self._types))
        pair = self.kind[links.source] * types + links.type[links.target]
        groups, member = np.unique(pair, return_inverse=True)
        named = np.bincount(member[links.label != 0], minlength=len(groups))
        wanted = np.bincount(member[chosen], minlength=len(groups))
        whole: Mask = (wanted > 0) & (wanted == named)
        unnamed: Mask = (links.label == 0) & ~links.opaque
        return whole[member] & unnamed

    def _bears(self, texts: Sequence[str]) -> Mask:
        wanted = [i for i, text in enumerate(self._labels) if i and text in texts]
        wanted += [INDEX | int(text[1:-1]) for text in texts if _INDEX.fullmatch(text)]
        return np.isin(self._links.label, np.array(wanted, np.uint32))

    def _holders(self, cut: Cut) -> Mask:
        """By object: whether it has that name, or is of a type of that name."""
        titled = self._named(cut.means, self._labels)[self._links.title]
        titled &= self._links.title != 0
        if cut.titled:
            return titled
        return titled | self._named(cut.means, self._types)[self.holder]

    @staticmethod
    def _named(means: Callable[[str], bool], names: Sequence[str]) -> Mask:
        return np.array([means(name) for name in names], np.bool_)

    def what_there_is(self, cut: Cut) -> str:
        """That the log has no such reference, and what its name may have meant."""
        links = self._links
        if not links.label.any():
            return (
                f"--cut {cut}: this recording has no names of references: it was recorded before "
                "names were; record again"
            )
        holders = self._holders(cut)
        held = holders[links.source] & (links.label != 0)
        known = {label_text(self._labels, i) for i in np.unique(links.label[held]).tolist()}
        if known:
            near = meant(cut.label, known)
            return f"--cut {cut}: the recording has no such reference from a {cut.holder}{near}"
        names = {*self._types, *(self._labels[i] for i in np.unique(links.title).tolist() if i)}
        near = "" if holders.any() else meant(cut.holder, names)
        return f"--cut {cut}: the recording has names of no reference from a {cut.holder}{near}"
