"""Logins in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Prefetch
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from identity.models import User
from streaming.admin_base import ReadOnly, ScopedAdmin
from streaming.models import Site

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

admin.site.unregister(Group)


@admin.register(User)
class LoginAdmin(UserAdmin, ScopedAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "groups", "sites"]
    filter_horizontal = ["groups", "sites"]
    ordering = ["username"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        (
            "May see and do",
            {
                "fields": ["groups", "sites", "is_active", "is_staff", "is_superuser"],
                "description": "Roles are groups: HR, Security, Integrator, Site "
                "admin. 'Staff' opens this admin.",
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Show of a login's sites only those that the reader shares with it."""
        seen = Site.objects.visible_to(request.user)
        shared = Prefetch("sites", Site.objects.filter(pk__in=seen))
        return super().get_queryset(request).prefetch_related(shared)


@admin.register(Group)
class RoleAdmin(ReadOnly, GroupAdmin, ModelAdmin):  # type: ignore[misc]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", "permissions"],
                "description": "What a role may do is part of the program and cannot "
                "be changed here. Give people a role on their own page.",
            },
        )
    ]
