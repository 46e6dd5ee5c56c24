from __future__ import annotations

import base64
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from alerts.models import new_secret
from alerts.rules import (
    ATTEMPTS_MAX,
    RETRY_MAX_S,
    STRANGER_TIMES,
    Hours,
    Severity,
    highest,
    is_disk_full,
    is_disk_well,
    is_repeated,
    retry_delay_s,
    shown_address,
    webhook_headers,
    without_pieces,
)

KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
MONDAY, FRIDAY, SATURDAY, SUNDAY = 1, 5, 6, 7
NIGHT = Hours(time(22), time(6))
OFFICE = Hours(time(8), time(18))

clocks = st.times().map(lambda at: at.replace(microsecond=0))
zones = st.sampled_from([KOLKATA, BERLIN, ZoneInfo("America/New_York"), UTC])
instants = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    start = draw(clocks)
    end = draw(clocks.filter(lambda clock: clock != start))
    return Hours(start, end)


def in_berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


class TestHours:
    @pytest.mark.parametrize(
        ("part", "clock", "holds"),
        [
            (OFFICE, "08:00", True),
            (OFFICE, "17:59", True),
            (OFFICE, "18:00", False),
            (NIGHT, "21:59", False),
            (NIGHT, "22:00", True),
            (NIGHT, "05:59", True),
            (NIGHT, "06:00", False),
            (Hours(), "12:00", True),
        ],
    )
    def test_hold_from_the_start_until_just_before_the_end(
        self,
        part: Hours,
        clock: str,
        holds: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        assert part.hold(in_berlin(f"2026-11-21T{clock}")) is holds

    @pytest.mark.parametrize(
        ("at", "holds"),
        [
            ("2026-11-20T23:00", True),  # Friday
            ("2026-11-21T05:00", True),  # Saturday morning: Friday's night
            ("2026-11-21T23:00", False),
            ("2026-11-20T05:00", False),  # Friday morning: Thursday's night
        ],
    )
    def test_of_a_night_belong_to_the_day_on_which_it_starts(
        self,
        at: str,
        holds: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        friday = Hours(NIGHT.start, NIGHT.end, frozenset({FRIDAY}))

        assert friday.hold(in_berlin(at)) is holds

    def test_go_by_the_clock_where_it_is_put_forward_or_back(self) -> None:
        small_hours = Hours(time(2), time(3))
        spring = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
        autumn = datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 26, tzinfo=UTC)

        assert minutes_held(small_hours, *spring) == 0
        assert minutes_held(small_hours, *autumn) == 120

    @given(hours(), zones, instants)
    def test_and_the_rest_of_the_day_share_it_between_them(
        self, part: Hours, zone: ZoneInfo, at: datetime
    ) -> None:
        rest = Hours(part.end, part.start)

        assert part.hold(at.astimezone(zone)) is not rest.hold(at.astimezone(zone))

    @given(hours(), zones, instants, st.frozensets(st.integers(1, 7), min_size=1))
    def test_of_some_days_and_of_the_others_share_them(
        self, part: Hours, zone: ZoneInfo, at: datetime, days: frozenset[int]
    ) -> None:
        local = at.astimezone(zone)
        others = frozenset(range(1, 8)) - days
        held = [Hours(part.start, part.end, days).hold(local)]
        if others:
            held.append(Hours(part.start, part.end, others).hold(local))

        assert sum(held) <= part.hold(local)
        assert not others or any(held) is part.hold(local)

    @given(hours(), zones, instants)
    def test_end_later_when_the_clock_shows_their_end(
        self, part: Hours, zone: ZoneInfo, at: datetime
    ) -> None:
        end = part.end_after(at.astimezone(zone))

        assert end.time() == part.end
        assert timedelta(0) < end.astimezone(UTC) - at <= timedelta(hours=26)

    def test_end_once_more_where_the_clock_is_put_back(self) -> None:
        late = datetime(2026, 10, 25, 0, 45, tzinfo=UTC).astimezone(BERLIN)

        assert Hours(time(22), time(2, 30)).end_after(late) == in_berlin(
            "2026-10-25T02:30"
        ).replace(fold=0)
        second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC).astimezone(BERLIN)
        end = Hours(time(22), time(2, 30)).end_after(second)
        assert end.astimezone(UTC) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)

    def test_of_the_whole_day_have_no_end(self) -> None:
        with pytest.raises(ValueError, match="does not end"):
            Hours().end_after(datetime.now(UTC))


def minutes_held(part: Hours, start: datetime, end: datetime) -> int:
    minutes = int((end - start).total_seconds() // 60)
    instants = (start + timedelta(minutes=each) for each in range(minutes))
    return sum(part.hold(each.astimezone(BERLIN)) for each in instants)


class TestSeverity:
    @given(st.lists(st.sampled_from(Severity), min_size=1))
    def test_of_several_rules_is_the_most_urgent(self, found: list[Severity]) -> None:
        urgent = highest(found)

        assert urgent in found
        assert all(each.rank <= urgent.rank for each in found)

    def test_rises_from_info_to_critical(self) -> None:
        assert highest(["info", "critical", "warning"]) == "critical"
        assert highest(["info", "warning"]) == "warning"


class TestDisk:
    @pytest.mark.parametrize(
        ("used_percent", "threshold", "is_full", "is_well"),
        [
            (89.9, None, False, False),
            (90.0, None, True, False),
            (88.0, None, False, False),
            (87.9, None, False, True),
            (70.0, 70, True, False),
            (67.9, 70, False, True),
        ],
    )
    def test_is_full_at_the_threshold_and_well_two_per_cent_below_it(
        self,
        used_percent: float,
        threshold: int | None,
        is_full: bool,  # noqa: FBT001 - a column of the table
        is_well: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        full = is_disk_full(used_percent=used_percent, threshold_percent=threshold)
        well = is_disk_well(used_percent=used_percent, thresholds_percent=[threshold])

        assert (full, well) == (is_full, is_well)

    def test_is_well_when_nobody_asks(self) -> None:
        assert is_disk_well(used_percent=100, thresholds_percent=[])

    @given(st.floats(0, 100), st.lists(st.none() | st.integers(1, 99), min_size=1))
    def test_is_never_full_and_well(
        self, used_percent: float, thresholds: list[int | None]
    ) -> None:
        full = any(
            is_disk_full(used_percent=used_percent, threshold_percent=each)
            for each in thresholds
        )

        assert not (
            full
            and is_disk_well(used_percent=used_percent, thresholds_percent=thresholds)
        )


class TestRetryDelay:
    def test_grows_to_an_hour_and_gives_up_after_a_day(self) -> None:
        delays = [retry_delay_s(each, jitter=0.5) for each in range(1, ATTEMPTS_MAX)]

        assert delays[:6] == [30, 120, 480, 1920, 3600, 3600]
        assert 23 * 3600 < sum(each or 0 for each in delays) < 25 * 3600
        assert retry_delay_s(ATTEMPTS_MAX, jitter=0.5) is None

    @given(st.integers(1, ATTEMPTS_MAX + 5), st.floats(0, 1), st.floats(0, 1))
    def test_is_within_a_tenth_whatever_the_jitter(
        self, attempts: int, one: float, other: float
    ) -> None:
        first = retry_delay_s(attempts, jitter=one)
        second = retry_delay_s(attempts, jitter=other)

        if first is None or second is None:
            assert first is second
        else:
            assert 0 < first <= RETRY_MAX_S * 1.1
            assert abs(first - second) <= 0.2001 * max(first, second) / 0.9


class TestWebhookHeaders:
    @given(st.binary(max_size=200).map(lambda raw: raw.hex().encode()), st.uuids())
    def test_are_accepted_by_an_independent_verifier(
        self, body: bytes, event_id: object
    ) -> None:
        secret = new_secret()

        headers = webhook_headers(
            secret=secret, event_id=str(event_id), at=datetime.now(UTC), body=body
        )

        Webhook(secret).verify(body, dict(headers), json_parse=False)

    def test_are_those_of_the_published_example(self) -> None:
        """From the test vectors of the Standard Webhooks libraries."""
        headers = webhook_headers(
            secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            event_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            at=datetime.fromtimestamp(1614265330, UTC),
            body=b'{"test": 2432232314}',
        )

        assert headers == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    def test_come_of_a_secret_of_32_random_bytes(self) -> None:
        first, second = new_secret(), new_secret()

        assert first != second
        assert first.startswith("whsec_")
        assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32


class TestShownAddress:
    @pytest.mark.parametrize(
        ("address", "shown"),
        [
            ("https://erp.example.com/hooks/token", "https://erp.example.com/***"),
            (
                "https://u:word@erp.example.com:8443/",
                "https://erp.example.com:8443/***",
            ),
            ("mailtos://user:word@example.com?to=a@example.com", "mailtos://***"),
            ("tgram://token/chat", "tgram://***"),
            ("word", "***"),
            ("https://[x", "***"),
            ("https://host:port/word", "***"),
        ],
    )
    def test_says_nothing_that_may_be_secret(self, address: str, shown: str) -> None:
        assert shown_address(address) == shown


class TestWithoutPieces:
    @pytest.mark.parametrize(
        ("address", "said", "shown"),
        [
            (
                "mailtos://sam:hidden-word@mail.example.com?to=guard@example.com",
                "mail.example.com refused hidden-word of guard: error=535",
                "*** refused *** of ***: error=535",
            ),
            (
                "tgram://123456:AB%2Dhidden/1",
                "https://api/bot123456:AB-hidden: error=401",
                "https://api/bot***:***: error=401",
            ),
        ],
    )
    def test_hides_whatever_stands_in_the_address(
        self, address: str, said: str, shown: str
    ) -> None:
        assert without_pieces(said, of=address) == shown


class TestDays:
    def test_are_told_by_iso_numbers(self) -> None:
        weekend = Hours(days=frozenset({SATURDAY, SUNDAY}))
        days = [date(2026, 11, 16) + timedelta(days=each) for each in range(7)]

        held = [
            day.isoweekday()
            for day in days
            if weekend.hold(datetime.combine(day, time(12), KOLKATA))
        ]

        assert held == [SATURDAY, SUNDAY]
        assert days[0].isoweekday() == MONDAY


class TestStranger:
    @given(st.integers(1, 100), st.none() | st.integers(2, 100))
    def test_is_told_of_from_the_visit_that_the_rule_says(
        self, count: int, times: int | None
    ) -> None:
        first = STRANGER_TIMES if times is None else times

        assert is_repeated(count=count, times=times) == (count >= first)
