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
from gcreplay.store.marks import did_you_mean
from gcreplay.store.readings import INDEX

from ..references import OWN_DICT, folded
from .cut import Cut
from .links import Links, links_of

Mask = npt.NDArray[np.bool_]

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


def choose(names: Names, cuts: Sequence[Cut]) -> Chosen:
    """Raises NotFound for a cut that means no link of the log."""
    links = names.links
    alike, labelled = np.zeros((2, len(links.source)), np.bool_)
    for cut in cuts:
        by_label = names.labelled(cut)
        if not by_label.any():
            raise NotFound(names.what_there_is(cut))
        labelled |= by_label
        alike |= names.alike(by_label)
    alike &= ~labelled
    recorded = links.sequence >= np.uint64(names.log.start_sequence)
    both = (labelled | alike) & recorded
    return Chosen(
        both,
        int(np.count_nonzero(labelled & recorded)),
        int(np.count_nonzero(alike & recorded)),
        int(np.count_nonzero((labelled | alike) & ~recorded)),
    )


_SAID = 3
"""So many names that may have been meant are said."""
_FEW_PAIRS = 1 << 22
"""So many pairs of types are counted in a table; more are sorted first."""


class Names:
    """Holders and labels of a log's links. A dictionary that is an instance's `__dict__` counts as
    that instance."""

    def __init__(self, log: EventLog) -> None:
        self.log = log
        self.links: Links = links_of(log)
        links = self.links
        self._labels = log.labels
        self._types = [each.qualified for each in log.types]
        self.kind = links.type.astype(np.int64)
        """By object: its type; of an instance's dictionary that type behind all others."""
        self.holder = links.type.astype(np.int64)
        """By object: its type, of an instance's dictionary that of the instance."""
        self._sort_pairs()
        owns = self._bears((OWN_DICT,)) & ~links.opaque
        owns |= self.alike(owns)
        owned = links.target[owns]
        self.holder[owned] = links.type[links.source[owns]]
        self.kind[owned] = self.holder[owned] + len(self._types)
        self._sort_pairs()

    def _sort_pairs(self) -> None:
        """Number the pairs of types, of a holder and its target, and give each link its pair's."""
        links = self.links
        types = np.int64(len(self._types))
        pair = self.kind[links.source] * types + links.type[links.target]
        groups = 2 * int(types) ** 2
        if groups > _FEW_PAIRS:
            found, pair = np.unique(pair, return_inverse=True)
            groups = len(found)
        self._pair = pair
        self._named = np.bincount(pair[links.label != 0], minlength=groups)
        """By pair: its links that have a label."""

    def labelled(self, cut: Cut) -> Mask:
        """The links that bear the cut's label and have such a holder."""
        bears = self._bears(cut.labels[:1])
        if len(cut.labels) > 1:
            of_dictionary = self.kind[self.links.source] >= len(self._types)
            bears |= self._bears(cut.labels[1:]) & of_dictionary
        return bears & self._holders(cut)[self.links.source] & ~self.links.opaque

    def alike(self, chosen: Mask) -> Mask:
        """The links without a label between holders and targets of types between which all links
        with a label are chosen."""
        wanted = np.bincount(self._pair[chosen], minlength=len(self._named))
        whole: Mask = (wanted > 0) & (wanted == self._named)
        unnamed: Mask = (self.links.label == 0) & ~self.links.opaque
        alike: Mask = whole[self._pair] & unnamed
        return alike

    def _bears(self, texts: Sequence[str]) -> Mask:
        wanted = [i for i, text in enumerate(self._labels) if i and text in texts]
        wanted += [INDEX | int(text[1:-1]) for text in texts if _INDEX.fullmatch(text)]
        return np.isin(self.links.label, np.array(wanted, np.uint32))

    def _holders(self, cut: Cut) -> Mask:
        """By object: whether it has that name, or is of a type of that name."""
        titled = self._are(cut.means, self._labels)[self.links.title]
        titled &= self.links.title != 0
        if cut.titled:
            return titled
        return titled | self._are(cut.means, self._types)[self.holder]

    @staticmethod
    def _are(means: Callable[[str], bool], names: Sequence[str]) -> Mask:
        return np.array([means(name) for name in names], np.bool_)

    def what_there_is(self, cut: Cut) -> str:
        """That the log has no such reference, and which ones may have been meant: those of the same
        label first, then those of the same holder, then those with a name that comes close."""
        from difflib import get_close_matches  # only who mistypes waits for it

        known = self._known()
        if not known:
            return (
                f"--cut {cut}: this recording has no names of references: it was recorded before "
                "names were; record again"
            )
        told = f"--cut {cut}: the recording has no such reference"
        holders = {holder for holder, _ in known if cut.means(holder)}
        labels = {label for holder, label in known if holder in holders}
        if holders:
            close = [f"{cut.holder}{label}" for label in get_close_matches(cut.label, labels)]
            told += f" from a {cut.holder}" if not close else ""
        else:
            told = f"--cut {cut}: the recording has names of no reference from a {cut.holder}"
            every = sorted(f"{_short(one)}{label}" for one, label in known)
            close = get_close_matches(str(cut), every, cutoff=0.75)
        others = [
            f"{_short(one)}{cut.label}"
            for one, label in known
            if label in cut.labels and one != "builtins.type"
        ]
        near = list(dict.fromkeys([*close, *sorted(others)]))[:_SAID]
        if not near and labels:
            own = sorted(label for label in labels if not label.startswith(".__"))
            near = [f"{cut.holder}{label}" for label in own[:_SAID]]
        return told + did_you_mean(near)

    def _known(self) -> set[tuple[str, str]]:
        """All names of holders, types and titles, with the labels of what they hold. A key of an
        instance's dictionary is an attribute of the instance."""
        links = self.links
        at = np.flatnonzero((links.label != 0) & (links.label < INDEX) & ~links.opaque)
        source, label = links.source[at], links.label[at].astype(np.int64)
        own = self.kind[source] >= len(self._types)
        found: set[tuple[str, str]] = set()
        for names, holder in ((self._types, self.holder), (self._labels, links.title)):
            pairs = np.unique(holder[source].astype(np.int64) << 33 | label << 1 | own)
            for pair in pairs.tolist():
                text, name = self._labels[pair >> 1 & 0xFFFFFFFF], names[pair >> 33]
                found |= {(name, folded(text) if pair & 1 else text)} if name else set()
        return found


def _short(name: str) -> str:
    """Without the modules that nobody writes."""
    return name.removeprefix("builtins.").removeprefix("__main__.")

