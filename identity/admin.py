"""Logins in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from streaming.admin import ScopedAdmin

from .models import User

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


@admin.register(Group)
class RoleAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]
    pass
