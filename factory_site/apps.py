from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class FactorySiteConfig(AppConfig):
    name = "factory_site"

    def ready(self) -> None:
        from attendance import erasure as attendance
        from attendance import muster
        from identity import erasure
        from vehicles import erasure as vehicles
        from vehicles import muster as parked

        from . import checks  # noqa: F401 - registers the system checks

        erasure.ELSEWHERE[:] = [attendance.forget, vehicles.forget]
        muster.VEHICLES[:] = [parked.inside]


class FactoryAdminConfig(AdminConfig):
    default_site = "factory_site.admin_site.FactoryAdminSite"
