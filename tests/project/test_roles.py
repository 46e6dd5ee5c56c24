from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command

from factory_site import roles

pytestmark = pytest.mark.django_db


class TestSync:
    def test_gives_each_group_exactly_its_permissions(self) -> None:
        group = Group.objects.create(name=roles.SECURITY)
        group.permissions.add(roles.permission("streaming.delete_camera"))

        call_command("sync_roles")

        for name, labels in roles.ROLES.items():
            granted = {
                f"{app}.{codename}"
                for app, codename in Group.objects.get(
                    name=name
                ).permissions.values_list("content_type__app_label", "codename")
            }
            assert granted == set(labels)

    def test_names_a_permission_that_does_not_exist(self) -> None:
        with pytest.raises(roles.UnknownPermission, match=r"streaming\.fly_camera"):
            roles.sync({"Pilot": ["streaming.fly_camera"]})

        assert not Group.objects.filter(name="Pilot").exists()
