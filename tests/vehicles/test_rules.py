"""Who may drive in, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.formats import INDIA
from vehicles.rules import (
    CONFIDENCE,
    Decision,
    GatePolicy,
    Reason,
    Registered,
    Standing,
    Status,
    decide_gate,
)
from vehicles.voting import Consensus, PlateRead

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLATE = "MH12AB1234"
OPEN = GatePolicy(opens_for_unknown=True)
CLOSED = GatePolicy()


def plate(*, sure: float = 0.95, fits: bool = True, agreeing: int = 2) -> Consensus:
    confidences = (*(0.99,) * (len(PLATE) - 1), sure)
    return Consensus(
        text=PLATE,
        format=INDIA[0] if fits else None,
        agreeing=agreeing,
        total=3,
        deciding=PlateRead(4, PLATE, confidences) if agreeing else None,
    )


def listed(standing: Standing = Standing.AUTHORIZED, **values: Any) -> Registered:
    return Registered(PLATE, standing, **values)


standings = st.sampled_from(Standing)
instants = st.none() | st.integers(-48, 48).map(lambda hours: NOW + hours * HOUR)
registered = st.none() | st.builds(
    Registered,
    plate=st.just(PLATE),
    standing=standings,
    valid_from=instants,
    valid_until=instants,
    kept_out=st.sampled_from([None, Reason.DRIVER_INACTIVE, Reason.DRIVER_REFUSED]),
)
policies = st.builds(
    GatePolicy,
    confidence=st.just(CONFIDENCE),
    opens_for_unknown=st.booleans(),
    opens_for_visitors=st.booleans(),
)
plates = st.builds(
    plate, sure=st.floats(0, 1), fits=st.booleans(), agreeing=st.integers(0, 3)
)


class TestGate:
    @pytest.mark.parametrize(
        ("read", "reason"),
        [
            (plate(sure=0.8499), Reason.LOW_CONFIDENCE),
            (plate(sure=0.0, fits=False, agreeing=1), Reason.LOW_CONFIDENCE),
            (plate(fits=False), Reason.BAD_FORMAT),
            (plate(fits=False, agreeing=1), Reason.BAD_FORMAT),
            (plate(agreeing=1), Reason.NO_CONSENSUS),
            (plate(agreeing=0), Reason.NO_CONSENSUS),
        ],
    )
    def test_refuses_a_plate_that_is_not_sure(
        self, read: Consensus, reason: Reason
    ) -> None:
        refused = Decision(Status.REJECTED, reason, opens=False)

        assert decide_gate(read, listed(), OPEN, at=NOW) == refused
        assert decide_gate(plate(), listed(), OPEN, at=NOW).opens

    def test_takes_a_character_that_is_just_sure_enough(self) -> None:
        assert decide_gate(plate(sure=0.85), listed(), CLOSED, at=NOW).opens

    @pytest.mark.parametrize(
        ("vehicle", "status", "reason", "opens", "opens_for_unknown"),
        [
            (listed(), Status.AUTHORIZED, Reason.LISTED, True, True),
            (listed(Standing.VISITOR), Status.AUTHORIZED, Reason.VISITOR, True, True),
            (listed(Standing.BLOCKED), Status.BLOCKED, Reason.BLOCKED, False, False),
            (None, Status.UNKNOWN, Reason.UNLISTED, False, True),
            (
                listed(valid_until=NOW),
                Status.UNKNOWN,
                Reason.EXPIRED,
                False,
                True,
            ),
            (
                listed(valid_from=NOW, valid_until=NOW + HOUR),
                Status.AUTHORIZED,
                Reason.LISTED,
                True,
                True,
            ),
            (
                listed(valid_from=NOW + HOUR),
                Status.UNKNOWN,
                Reason.NOT_YET_VALID,
                False,
                True,
            ),
            (
                listed(Standing.BLOCKED, valid_until=NOW - HOUR),
                Status.BLOCKED,
                Reason.BLOCKED,
                False,
                False,
            ),
            (
                listed(kept_out=Reason.DRIVER_INACTIVE),
                Status.UNKNOWN,
                Reason.DRIVER_INACTIVE,
                False,
                False,
            ),
            (
                listed(
                    Standing.VISITOR,
                    kept_out=Reason.DRIVER_REFUSED,
                    valid_until=NOW - HOUR,
                ),
                Status.UNKNOWN,
                Reason.DRIVER_REFUSED,
                False,
                False,
            ),
            (
                listed(Standing.BLOCKED, kept_out=Reason.DRIVER_REFUSED),
                Status.BLOCKED,
                Reason.BLOCKED,
                False,
                False,
            ),
        ],
    )
    def test_goes_by_the_register(
        self,
        vehicle: Registered | None,
        status: Status,
        reason: Reason,
        opens: bool,  # noqa: FBT001
        opens_for_unknown: bool,  # noqa: FBT001
    ) -> None:
        shut = decide_gate(plate(), vehicle, CLOSED, at=NOW)
        easy = decide_gate(plate(), vehicle, OPEN, at=NOW)

        assert shut == Decision(status, reason, opens=opens)
        assert easy == Decision(status, reason, opens=opens_for_unknown)

    def test_may_be_kept_shut_for_visitors(self) -> None:
        strict = GatePolicy(opens_for_visitors=False)

        assert not decide_gate(plate(), listed(Standing.VISITOR), strict, at=NOW).opens

    @given(plates, registered, policies)
    def test_gives_each_decision_its_reason(
        self, read: Consensus, vehicle: Registered | None, policy: GatePolicy
    ) -> None:
        decision = decide_gate(read, vehicle, policy, at=NOW)

        assert isinstance(decision.reason, Reason)
        is_kept_out = vehicle is not None and vehicle.kept_out is not None
        if decision.status is Status.UNKNOWN:
            assert decision.opens is (policy.opens_for_unknown and not is_kept_out)
        if is_kept_out:
            assert not decision.opens
        if vehicle and vehicle.standing is Standing.BLOCKED:
            assert not decision.opens
            assert decision.status in {Status.BLOCKED, Status.REJECTED}

    @given(plates, registered, policies, st.floats(0, 1))
    def test_never_opens_for_a_read_that_is_less_sure(
        self,
        read: Consensus,
        vehicle: Registered | None,
        policy: GatePolicy,
        times: float,
    ) -> None:
        if read.deciding is None:
            return
        dimmed = tuple(each * times for each in read.deciding.confidences)
        worse = replace(read, deciding=replace(read.deciding, confidences=dimmed))

        if decide_gate(worse, vehicle, policy, at=NOW).opens:
            assert decide_gate(read, vehicle, policy, at=NOW).opens

    @pytest.mark.parametrize("status", [Status.BLOCKED, Status.REJECTED])
    def test_cannot_be_told_to_open_for_whom_it_must_not(self, status: Status) -> None:
        with pytest.raises(ValueError, match="never opens"):
            Decision(status, Reason.BLOCKED, opens=True)
