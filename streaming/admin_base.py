"""What every page of the admin shares: rows of the user's own sites only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import FieldListFilter, RelatedFieldListFilter
from unfold.admin import ModelAdmin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


def visible_rows(model: type[Model], request: HttpRequest) -> QuerySet[Any] | None:
    """Return the rows that the user sees, or None for a model without sites."""
    rows: Any = model._default_manager.all()
    return rows.visible_to(request.user) if hasattr(rows, "visible_to") else None


class ReadOnly:
    """For tables that the system writes: nothing to add, change or delete."""

    def has_add_permission(self, *_: object) -> bool:
        return False

    def has_change_permission(self, *_: object) -> bool:
        return False

    def has_delete_permission(self, *_: object) -> bool:
        return False


class ScopedAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows and offers rows of the user's own sites only."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).visible_to(request.user)  # type: ignore[no-any-return]

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        rows = visible_rows(db_field.remote_field.model, request)
        if rows is not None:
            kwargs["queryset"] = rows
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class HidesSecrets(ScopedAdmin):
    """Shows a safe form of secrets to who may look at a row and not change it.

    What nobody edits Django shows as it is stored, whatever the form does.
    """

    safe: ClassVar[Mapping[str, str]]
    """What is shown, a method or property of the model or the admin, by field."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if self.is_edited(request, obj):
            return fieldsets
        return [
            (
                title,
                {
                    **told,
                    "fields": [
                        self.safe.get(name, name) if isinstance(name, str) else name
                        for name in told["fields"]
                    ],
                },
            )
            for title, told in fieldsets
        ]

    def is_edited(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the page is a form, and not only shown."""
        return obj is None or bool(self.has_change_permission(request, obj))


class VisibleRowsFilter(RelatedFieldListFilter):
    """Offers rows of the user's own sites only; every `list_filter` gets it."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        rows = visible_rows(field.remote_field.model, request)
        if rows is None:
            return super().field_choices(field, request, model_admin)
        return field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"pk__in": rows},
        )


FieldListFilter.register(
    lambda field: bool(field.remote_field), VisibleRowsFilter, take_priority=True
)
