from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class FactorySiteConfig(AppConfig):
    name = "factory_site"

    def ready(self) -> None:
        from . import checks  # noqa: F401 - registers the system checks


class FactoryAdminConfig(AdminConfig):
    default_site = "factory_site.admin_site.FactoryAdminSite"
