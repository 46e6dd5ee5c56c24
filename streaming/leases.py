"""Which vision worker runs which camera: leases in Postgres.

A worker renews its leases every second, and takes those that are free or have
expired. Postgres' clock alone decides what has expired: the clocks of the machines may
differ. Cameras are shared evenly, except those that a live worker is pinned to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import Now

from .models import Camera, VisionWorker
from .rules import shares
from .vision.trouble import Cause

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .models import CameraQuerySet, VisionWorkerQuerySet

LEASE: Final = timedelta(seconds=10)
RENEW_EVERY_S: Final = 1.0
"""A dead worker's cameras are taken 11 s after its last renewal at the latest, which
leaves time to open them within the 15 s that are promised."""

PLACES = [str(place) for place in Camera.Place]
MOST_IMPORTANT_FIRST = Case(
    *(When(place=place, then=Value(rank)) for rank, place in enumerate(PLACES))
)


class NameInUse(Exception):
    """Another live worker bears the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A vision worker named {name} runs on another machine, or did until a few "
            "seconds ago. Start this one with another VISION_NAME, or in a moment."
        )


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker, as it takes leases."""

    name: str
    queue_id: str
    """Of its event queue, which one process at a time may have."""
    pinned: Sequence[str] = ()
    """Codes of the only cameras it runs; empty: any."""


@dataclass(frozen=True, slots=True)
class Leases:
    """What a worker holds."""

    terms: Mapping[str, int]
    """The term of each lease by camera code, those to be given back included."""
    to_run: frozenset[str]
    untold: frozenset[str]
    """Those held of which no state is known, or which are said to have no worker."""


@dataclass(frozen=True, slots=True)
class _Held:
    """What matters of a camera that a worker holds."""

    term: int
    state: str
    cause: str

    @property
    def is_untold(self) -> bool:
        is_unknown = self.state == Camera.State.UNKNOWN
        return is_unknown or self.cause == Cause.NO_WORKER


@transaction.atomic
def enter(holder: Holder) -> None:
    """Make the worker known; raise NameInUse.

    What another worker of this name held is given back: taken again it has a new term,
    by which that one's events are told from those of this one.
    """
    values = {
        "queue_id": holder.queue_id,
        "pinned": list(holder.pinned),
        "started_at": Now(),
        "seen_at": Now(),
    }
    if _row(holder).update(**values):
        return
    dead = VisionWorker.objects.filter(name=holder.name, seen_at__lte=Now() - LEASE)
    if not dead.update(**values):
        try:
            with transaction.atomic():
                VisionWorker.objects.create(name=holder.name, **values)
        except IntegrityError:
            raise NameInUse(holder.name) from None
    _own(holder).update(lease_holder="", lease_until=None)


@transaction.atomic
def renew(
    holder: Holder, *, running: Collection[str], takes_expired: bool = True
) -> Leases:
    """Renew, give back and take leases until the worker has its share.

    `running` are the cameras that it reads now. One that it is to give back it keeps
    until it has stopped reading it, so that two workers never read a camera at once.
    Without `takes_expired` it takes only what was given back: when Postgres was away
    all leases have expired, and their holders still work and will be back.
    Raises NameInUse.
    """
    _be_seen(holder)
    pool = _pool(holder)
    share = _share(holder, pool)
    held = _held(holder)
    kept = _kept(held, pool, running, share=share)
    _give_back(holder, [code for code in held if code not in {*kept, *running}])
    _hold_on(holder)
    is_free = Q(lease_until=None)
    if takes_expired:
        is_free |= Q(lease_until__lte=Now())
    _take(holder, pool.filter(is_free), count=share - len(kept))
    now_held = _held(holder)
    leaving = held.keys() - set(kept)
    return Leases(
        terms={code: camera.term for code, camera in now_held.items()},
        to_run=frozenset(now_held.keys() - leaving),
        untold=frozenset(code for code, row in now_held.items() if row.is_untold),
    )


@transaction.atomic
def leave(holder: Holder) -> None:
    """Give everything back and be forgotten: a clean stop, which is no loss.

    What is held under this name belongs to another worker if that one has taken it.
    """
    deleted, _ = _row(holder).delete()
    if deleted:
        _own(holder).update(lease_holder="", lease_until=None)


def _row(holder: Holder) -> VisionWorkerQuerySet:
    return VisionWorker.objects.filter(name=holder.name, queue_id=holder.queue_id)


def _be_seen(holder: Holder) -> None:
    if not _row(holder).update(seen_at=Now()):
        enter(holder)


def _own(holder: Holder) -> CameraQuerySet:
    return Camera.objects.filter(lease_holder=holder.name)


def _held(holder: Holder) -> dict[str, _Held]:
    """Return what the worker holds, least likely to be given back first."""
    rows = _own(holder).order_by(MOST_IMPORTANT_FIRST, "code").select_for_update()
    values = rows.values_list("code", "lease_term", "state", "state_cause")
    return {code: _Held(term, state, cause) for code, term, state, cause in values}


def _pool(holder: Holder) -> CameraQuerySet:
    """Return the cameras that the worker may run."""
    cameras = Camera.objects.enabled()
    if holder.pinned:
        return cameras.filter(code__in=holder.pinned)
    alive = VisionWorker.objects.alive(lease=LEASE)
    pinned = alive.values_list("pinned", flat=True)
    return cameras.exclude(code__in={code for codes in pinned for code in codes})


def _share(holder: Holder, pool: CameraQuerySet) -> int:
    """Return how many cameras of the pool the worker is to have."""
    count = pool.count()
    if holder.pinned:
        return count
    alive = VisionWorker.objects.alive(lease=LEASE).filter(pinned=[])
    held = dict.fromkeys(alive.values_list("name", flat=True), 0)
    leased = pool.filter(lease_until__gt=Now(), lease_holder__in=held).order_by()
    counts = leased.values_list("lease_holder").annotate(Count("id"))
    return shares(count, held=held | dict(counts))[holder.name]


def _kept(
    held: Mapping[str, _Held],
    pool: CameraQuerySet,
    running: Collection[str],
    *,
    share: int,
) -> list[str]:
    """Return what stays: what runs before what does not, gates before yards."""
    allowed = set(pool.values_list("code", flat=True))
    candidates = [code for code in held if code in allowed]
    return sorted(candidates, key=lambda code: code not in running)[:share]


def _give_back(holder: Holder, codes: Sequence[str]) -> None:
    _own(holder).filter(code__in=codes).update(lease_holder="", lease_until=None)


def _hold_on(holder: Holder) -> None:
    _own(holder).update(lease_until=Now() + LEASE)


def _take(holder: Holder, free: CameraQuerySet, *, count: int) -> None:
    """Take up to so many of the free cameras, gates before yards."""
    if count <= 0:
        return
    rows = free.select_for_update(skip_locked=True).values_list("pk", flat=True)
    rows = rows.order_by(MOST_IMPORTANT_FIRST, "code")
    free.filter(pk__in=list(rows[:count])).update(
        lease_holder=holder.name,
        lease_until=Now() + LEASE,
        lease_term=F("lease_term") + 1,
    )
