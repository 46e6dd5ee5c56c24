from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from identity.models import User
from streaming.models import Site
from tests.factories import make_camera, make_site, make_user

pytestmark = pytest.mark.django_db


class TestVisibleTo:
    def test_keeps_to_the_users_own_sites(self) -> None:
        here, there = make_site(), make_site()
        sam, other = make_user("sam", sites=[here]), make_user("other", sites=[there])
        camera = make_camera(site=here)
        make_camera(site=there)

        assert list(Site.objects.visible_to(sam)) == [here]
        assert list(camera.__class__.objects.visible_to(sam)) == [camera]
        assert list(User.objects.visible_to(sam)) == [sam]
        assert other not in User.objects.visible_to(sam)

    def test_names_a_login_once_that_shares_two_sites(self) -> None:
        sites = [make_site(), make_site()]
        sam = make_user("sam", sites=sites)
        make_user("hana", sites=sites)

        assert User.objects.visible_to(sam).count() == 2

    def test_shows_a_superuser_everything(self) -> None:
        make_user("sam", sites=[make_site()])
        root = make_user("root", is_superuser=True)

        assert Site.objects.visible_to(root).count() == 1
        assert User.objects.visible_to(root).count() == 2

    @pytest.mark.parametrize("superuser", [False, True])
    def test_shows_nothing_to_a_login_that_is_switched_off(
        self,
        superuser: bool,  # noqa: FBT001
    ) -> None:
        site = make_site()
        gone = make_user("x", sites=[site], is_active=False, is_superuser=superuser)

        assert not Site.objects.visible_to(gone).exists()
        assert not User.objects.visible_to(gone).exists()

    def test_shows_nothing_without_a_login(self) -> None:
        make_user("sam", sites=[make_site()])

        assert not Site.objects.visible_to(AnonymousUser()).exists()
        assert not User.objects.visible_to(AnonymousUser()).exists()
