from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from streaming import leases
from streaming.leases import Holder, NameInUse
from streaming.models import Camera, VisionWorker
from tests.factories import make_camera, make_site

if TYPE_CHECKING:
    from collections.abc import Collection

    from streaming.leases import Leases

pytestmark = pytest.mark.django_db
ONE, TWO = Holder("vision-1", "1" * 32), Holder("vision-2", "2" * 32)


def make_cameras(count: int) -> list[str]:
    site = make_site()
    return sorted(make_camera(site=site, code=f"CAM-{n}").code for n in range(count))


def renew(holder: Holder, running: Collection[str] = ()) -> Leases:
    return leases.renew(holder, running=running)


def settle(*holders: Holder) -> dict[str, frozenset[str]]:
    """Let workers renew in turn, each running what it was told, until all is even."""
    running: dict[str, frozenset[str]] = {
        holder.name: frozenset() for holder in holders
    }
    for _ in range(4):
        for holder in holders:
            held = renew(holder, running[holder.name])
            running[holder.name] = held.to_run
    return running


def let_expire(holder: Holder) -> None:
    """Make it so that the worker last renewed longer ago than a lease lasts."""
    before = Now() - leases.LEASE
    VisionWorker.objects.filter(name=holder.name).update(seen_at=before)
    Camera.objects.filter(lease_holder=holder.name).update(lease_until=before)


def terms() -> dict[str, int]:
    return dict(Camera.objects.values_list("code", "lease_term"))


def holders() -> dict[str, str]:
    return dict(Camera.objects.values_list("code", "lease_holder"))


class TestLease:
    def test_is_taken_of_every_enabled_camera_by_the_only_worker(self) -> None:
        codes = make_cameras(3)
        make_camera(enabled=False)

        held = renew(ONE)

        assert held.to_run == set(codes)
        assert held.terms == dict.fromkeys(codes, 1)

    def test_is_renewed_under_the_same_term(self) -> None:
        (code,) = make_cameras(1)
        renew(ONE)
        Camera.objects.update(lease_until=Now() + timedelta(seconds=1))

        held = renew(ONE, {code})

        assert held.terms == {code: 1}
        soon = Now() + timedelta(seconds=9)
        assert Camera.objects.filter(lease_until__gt=soon).exists()

    def test_moves_when_its_holder_is_gone(self) -> None:
        codes = make_cameras(2)
        renew(ONE)
        let_expire(ONE)

        held = renew(TWO)

        assert held.to_run == set(codes)
        assert held.terms == dict.fromkeys(codes, 2)

    def test_that_expired_is_left_alone_while_its_holder_may_come_back(self) -> None:
        codes = make_cameras(2)
        settle(ONE, TWO)
        for holder in (ONE, TWO):
            let_expire(holder)

        found = [
            leases.renew(holder, running=(), takes_expired=False)
            for holder in (ONE, TWO)
        ]

        assert {**found[0].terms, **found[1].terms} == terms()
        assert sorted(len(held.to_run) for held in found) == [1, 1]
        assert sorted(holders()) == codes

    def test_stays_while_its_holder_may_be_alive(self) -> None:
        make_cameras(2)
        renew(ONE)
        VisionWorker.objects.filter(name=ONE.name).delete()

        assert renew(TWO).to_run == set()

    def test_is_kept_over_a_restart_of_its_holder(self) -> None:
        codes = make_cameras(2)
        renew(ONE)

        leases.enter(ONE)

        assert renew(ONE).terms == dict.fromkeys(codes, 1)

    def test_is_free_at_once_after_a_clean_stop(self) -> None:
        codes = make_cameras(2)
        renew(ONE)

        leases.leave(ONE)

        assert renew(TWO).to_run == set(codes)
        assert not VisionWorker.objects.filter(name=ONE.name).exists()

    def test_ends_when_its_camera_is_switched_off_and_was_stopped(self) -> None:
        (code,) = make_cameras(1)
        renew(ONE)
        Camera.objects.update(enabled=False)

        still_running = renew(ONE, {code})
        stopped = renew(ONE)

        assert still_running.to_run == set()
        assert set(still_running.terms) == {code}
        assert stopped.terms == {}
        assert holders() == {code: ""}

    def test_says_which_cameras_nothing_is_known_of(self) -> None:
        codes = make_cameras(3)
        Camera.objects.filter(code=codes[0]).update(state="online")
        Camera.objects.filter(code=codes[1]).update(
            state="offline", state_cause="no_worker"
        )

        assert renew(ONE).untold == set(codes[1:])


class TestShare:
    def test_is_even(self) -> None:
        codes = make_cameras(5)

        found = settle(ONE, TWO)

        assert sorted(len(found[holder.name]) for holder in (ONE, TWO)) == [2, 3]
        assert sorted(found[ONE.name] | found[TWO.name]) == codes

    def test_is_given_back_only_after_it_is_stopped(self) -> None:
        codes = make_cameras(2)
        renew(ONE)
        renew(TWO)

        told_to_stop = renew(ONE, codes)
        while_it_runs = renew(TWO)
        renew(ONE, told_to_stop.to_run)
        after_it_stopped = renew(TWO)

        assert len(told_to_stop.to_run) == 1
        assert set(told_to_stop.terms) == set(codes)
        assert while_it_runs.to_run == set()
        assert after_it_stopped.to_run == set(codes) - told_to_stop.to_run

    def test_has_gates_before_yards(self) -> None:
        site = make_site()
        for code, place in (("A", "yard"), ("B", "hall"), ("C", "gate")):
            make_camera(site=site, code=code, place=place)
        leases.enter(TWO)

        assert renew(ONE).to_run == {"B", "C"}

    def test_grows_when_another_worker_dies(self) -> None:
        codes = make_cameras(4)
        found = settle(ONE, TWO)
        let_expire(TWO)

        assert renew(ONE, found[ONE.name]).to_run == set(codes)


class TestPins:
    def test_take_only_their_cameras_and_keep_others_away(self) -> None:
        codes = make_cameras(4)
        pinned = Holder("vision-3", "3" * 32, codes[:1])

        found = settle(ONE, pinned)

        assert found[pinned.name] == set(codes[:1])
        assert found[ONE.name] == set(codes[1:])

    def test_do_not_keep_others_away_once_their_worker_is_gone(self) -> None:
        codes = make_cameras(4)
        pinned = Holder("vision-3", "3" * 32, codes[:1])
        settle(ONE, pinned)
        let_expire(pinned)

        assert renew(ONE).to_run == set(codes)

    def test_bring_their_cameras_home(self) -> None:
        codes = make_cameras(4)
        settle(ONE)
        pinned = Holder("vision-3", "3" * 32, codes[:1])

        assert settle(ONE, pinned)[pinned.name] == set(codes[:1])


class TestName:
    def test_is_refused_to_a_second_worker_on_another_machine(self) -> None:
        renew(ONE)

        with pytest.raises(NameInUse, match="vision-1 runs on another machine"):
            leases.enter(Holder(ONE.name, "f" * 32))

    def test_is_free_when_its_worker_is_gone_and_brings_new_terms(self) -> None:
        codes = make_cameras(2)
        renew(ONE)
        let_expire(ONE)

        held = renew(Holder(ONE.name, "f" * 32))

        assert held.terms == dict.fromkeys(codes, 2)

    def test_lost_to_another_machine_is_noticed(self) -> None:
        renew(ONE)
        let_expire(ONE)
        leases.enter(Holder(ONE.name, "f" * 32))

        with pytest.raises(NameInUse):
            renew(ONE)

    def test_that_another_machine_has_now_keeps_its_cameras_when_the_first_leaves(
        self,
    ) -> None:
        codes = make_cameras(2)
        renew(ONE)
        let_expire(ONE)
        successor = Holder(ONE.name, "f" * 32)
        held = renew(successor)

        leases.leave(ONE)

        assert holders() == dict.fromkeys(codes, ONE.name)
        assert renew(successor).terms == held.terms

    def test_is_taken_up_again_when_its_row_was_deleted(self) -> None:
        codes = make_cameras(1)
        renew(ONE)
        VisionWorker.objects.all().delete()

        assert renew(ONE, codes).to_run == set(codes)


@pytest.mark.django_db(transaction=True)
class TestRace:
    def test_gives_each_camera_to_one_worker(self) -> None:
        codes = make_cameras(12)
        many = [Holder(f"vision-{n}", str(n) * 32) for n in range(4)]
        found: dict[str, frozenset[str]] = {}
        ready = threading.Barrier(len(many))

        def ask(holder: Holder) -> None:
            ready.wait()
            running: frozenset[str] = frozenset()
            for _ in range(6):
                running = renew(holder, running).to_run
            found[holder.name] = running
            connection.close()

        threads = [threading.Thread(target=ask, args=[holder]) for holder in many]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        at_work = sorted(code for of in found.values() for code in of)
        assert at_work == sorted(set(at_work))
        assert sorted(len(of) for of in settle(*many).values()) == [3, 3, 3, 3]
        assert sorted(holders()) == codes

    def test_passes_over_what_another_is_taking_without_waiting(self) -> None:
        codes = make_cameras(3)
        taken, looked = threading.Event(), threading.Event()
        in_time: list[bool] = []

        def take() -> None:
            with transaction.atomic():
                renew(ONE)
                taken.set()
                in_time.append(looked.wait(5))
            connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        taken.wait(5)
        found = renew(TWO)
        looked.set()
        thread.join()

        assert in_time == [True]
        assert found.to_run == set()
        assert holders() == dict.fromkeys(codes, ONE.name)
