"""What a replay came to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from .dependence import Dependence


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of a replay.

    sequence: the event during which it ran. allocation: id of the object whose birth triggered
    it, or of the next object to be born. cause: "threshold", "call", or the policy's name.
    candidates: objects examined; tracked: objects in all three generations at its start; links:
    the candidates' outgoing links, each once. collected: unreachable
    objects, as the interpreter counts them; freed, bytes: those and what died with them.
    survivors: candidates that stay tracked.
    """

    sequence: int
    allocation: int
    cause: str
    generation: int
    candidates: int
    tracked: int
    links: int
    collected: int
    bytes: int
    survivors: int
    freed: int
    uncollectable: int


@dataclass(frozen=True, slots=True)
class FirstUse:
    """The first event that used what this replay does not have, and the type of what it named."""

    sequence: int
    type: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """A replay of one log under one policy; equal replays have equal hashes, on any machine.

    Objects and bytes are numbers of live objects and bytes that the log tells of. Floating
    garbage is unreachable and not freed yet; its integrals are in objects (bytes) times events.
    died_by_refcount and died_by_collector count deaths by the generation in which the object
    stood: 0, 1, 2, permanent, untracked. regions_run, unmoved, lapsed:
    docs/reference/policies.md. notes: sentences on what the policy could not do as its collector
    does.
    """

    policy: str
    events: int
    collections: tuple[Collection, ...]
    freed_by_refcount: int
    freed_by_collector: int
    revived: int
    first_revived: FirstUse | None
    displaced: int
    regions_run: int
    unmoved: int
    first_unmoved: FirstUse | None
    lapsed: int
    depends_on_collector: Dependence
    peak_objects: int
    peak_bytes: int
    peak_floating_objects: int
    peak_floating_bytes: int
    floating_object_events: int
    floating_byte_events: int
    live_objects: int
    live_bytes: int
    floating_objects: int
    floating_bytes: int
    died_by_refcount: tuple[int, ...]
    died_by_collector: tuple[int, ...]
    bound: bool = False
    notes: tuple[str, ...] = ()

    @property
    def collected(self) -> int:
        """Cyclic garbage freed; of the clairvoyant bound, all it frees."""
        return self.freed_by_collector if self.bound else sum(c.collected for c in self.collections)

    @property
    def collections_by_generation(self) -> list[int]:
        return [sum(c.generation == g for c in self.collections) for g in range(3)]

    @property
    def collected_by_generation(self) -> list[int]:
        return [sum(c.collected for c in self.collections if c.generation == g) for g in range(3)]

    @property
    def peak_tracked(self) -> int:
        """Most objects in the three generations when a collection starts; 0 without one."""
        return max((c.tracked for c in self.collections), default=0)

    @property
    def result_hash(self) -> str:
        """SHA-256 of the canonical JSON of everything else."""
        return str(self.to_json()["result_hash"])

    def to_json(self) -> dict[str, Any]:
        """The documented JSON of a run: `replay --format json` prints it, stored runs hold it."""
        values: dict[str, Any] = {
            "policy": self.policy,
            "collections_by_generation": self.collections_by_generation,
            "collected_by_generation": self.collected_by_generation,
            "collected": self.collected,
            "freed_by_refcount": self.freed_by_refcount,
            "freed_by_collector": self.freed_by_collector,
            "uncollectable": sum(c.uncollectable for c in self.collections),
            "peak_tracked": self.peak_tracked,
            "revived": self.revived,
            "first_revived": asdict(self.first_revived) if self.first_revived else None,
            "displaced": self.displaced,
            "regions_run": self.regions_run,
            "unmoved": self.unmoved,
            "first_unmoved": asdict(self.first_unmoved) if self.first_unmoved else None,
            "lapsed": self.lapsed,
            "depends_on_collector": self.depends_on_collector.to_json(),
            "peak_objects": self.peak_objects,
            "peak_bytes": self.peak_bytes,
            "peak_floating_objects": self.peak_floating_objects,
            "peak_floating_bytes": self.peak_floating_bytes,
            "floating_object_events": self.floating_object_events,
            "floating_byte_events": self.floating_byte_events,
            "live_objects": self.live_objects,
            "live_bytes": self.live_bytes,
            "floating_objects": self.floating_objects,
            "floating_bytes": self.floating_bytes,
            "died_by_refcount": list(self.died_by_refcount),
            "died_by_collector": list(self.died_by_collector),
            "notes": list(self.notes),
            "events": self.events,
            "work": {
                "visited": sum(c.candidates for c in self.collections),
                "links": sum(c.links for c in self.collections),
            },
            "collections": [asdict(c) for c in self.collections],
        }
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        values["result_hash"] = hashlib.sha256(text.encode()).hexdigest()
        return values
