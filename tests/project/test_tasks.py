from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from factory_site import tasks
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class TestForgetExpiredLogins:
    def test_deletes_tokens_that_nobody_can_use_any_more(self) -> None:
        user = make_user("iris")
        for _ in range(2):
            RefreshToken.for_user(user)
        old, live = OutstandingToken.objects.order_by("id")
        OutstandingToken.objects.filter(pk=old.pk).update(expires_at=timezone.now())

        tasks.forget_expired_logins()

        assert list(OutstandingToken.objects.all()) == [live]


class TestForgetExpiredSessions:
    def test_deletes_sessions_that_nobody_can_use_any_more(self) -> None:
        now, minute = timezone.now(), timedelta(minutes=1)
        Session.objects.create(session_key="old", expire_date=now - minute)
        Session.objects.create(session_key="live", expire_date=now + minute)

        tasks.forget_expired_sessions()

        assert [session.pk for session in Session.objects.all()] == ["live"]
