from __future__ import annotations

import pytest
from django.db.models import F
from django.db.models.functions import Now

from factory_site.vision.tenure import LEASE_S, LOOP_SILENT_S, Claim, Tenure
from streaming.leases import LEASE, Holder
from streaming.models import Camera, VisionWorker
from tests.factories import make_camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenure() -> Tenure:
    return Tenure(Holder("vision-1", "1" * 32))


class TestClaim:
    @pytest.mark.parametrize(
        ("now_s", "is_sure"), [(100, True), (110, True), (110.1, False)]
    )
    def test_is_sure_as_long_as_the_lease_lasts(
        self, tenure: Tenure, *, now_s: float, is_sure: bool
    ) -> None:
        code = make_camera().code

        tenure.renew(100)

        assert LEASE_S == 10
        assert tenure.claim(code, now_s) == Claim(1, is_sure=is_sure)

    def test_is_none_before_the_first_lease(self, tenure: Tenure) -> None:
        assert tenure.claim("CAM-1", 0) == Claim(0, is_sure=False)

    def test_ends_when_another_has_the_camera(self, tenure: Tenure) -> None:
        code = make_camera().code
        tenure.renew(100)
        Camera.objects.update(lease_holder="vision-2", lease_term=F("lease_term") + 1)

        tenure.renew(102)

        assert tenure.claim(code, 102) == Claim(0, is_sure=False)


class TestRenew:
    def test_leaves_the_cameras_to_others_while_the_loop_stands_still(
        self, tenure: Tenure, caplog: pytest.LogCaptureFixture
    ) -> None:
        code = make_camera().code
        tenure.renew(100)
        tenure.loop_seen_s = 100

        held = [tenure.renew(101 + LOOP_SILENT_S) for _ in range(2)]

        assert held == [None, None]
        assert not tenure.claim(code, 101 + LOOP_SILENT_S).is_sure
        assert caplog.text.count("stood still") == 1

    def test_takes_them_up_again_when_it_goes_on(self, tenure: Tenure) -> None:
        code = make_camera().code
        tenure.renew(100)
        tenure.loop_seen_s = 100
        assert tenure.renew(150) is None
        tenure.loop_seen_s = 151

        tenure.renew(152)

        assert tenure.claim(code, 152) == Claim(1, is_sure=True)

    def test_leaves_expired_leases_to_who_may_come_back_with_postgres(
        self, tenure: Tenure
    ) -> None:
        """Both went on without Postgres, and what they saw meanwhile is to count."""
        codes = {make_camera().code for _ in range(2)}
        other = Tenure(Holder("vision-2", "2" * 32))
        for second in range(0, 20, 2):
            for one in (tenure, other):
                held = one.renew(second)
                one.running = held.to_run if held else frozenset()
        before = {
            code: tenure.claim(code, 0).term or other.claim(code, 0).term
            for code in codes
        }
        expired = Now() - LEASE
        VisionWorker.objects.update(seen_at=expired)
        Camera.objects.update(lease_until=expired)

        for one in (tenure, other):
            one.renew(600)

        assert dict(Camera.objects.values_list("code", "lease_term")) == before

    def test_takes_expired_leases_of_who_does_not_come_back(
        self, tenure: Tenure
    ) -> None:
        code = make_camera(
            lease_holder="vision-0", lease_until=Now() - LEASE, lease_term=1
        ).code

        held = [tenure.renew(second) for second in (0, 4, 8, 12)]

        assert [bool(one and one.to_run) for one in held] == [False] * 3 + [True]
        assert tenure.claim(code, 12) == Claim(2, is_sure=True)
