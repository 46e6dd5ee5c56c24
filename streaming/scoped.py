"""What every API view and serializer shares: rows of the user's own sites only, and
the database's own rules told as field errors."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import Model
from rest_framework import serializers
from rest_framework.serializers import as_serializer_error

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.generics import GenericAPIView

    View = GenericAPIView[Any]
else:
    View = object

ModelT = TypeVar("ModelT", bound=Model)


class ScopedQueryset(View):
    """Narrows a view's `queryset` by its own `visible_to(user)`."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)  # type: ignore[no-any-return]


class VisibleKey(serializers.PrimaryKeyRelatedField[Any]):
    """A foreign key that accepts only rows the user sees."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.context["request"].user)  # type: ignore[no-any-return]


class CheckedSerializer(serializers.ModelSerializer[ModelT]):
    """Turns a broken database constraint into a 400 with the constraint's sentence."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        candidate = copy(self.instance) or self.Meta.model()  # type: ignore[misc]
        for name, value in attrs.items():
            setattr(candidate, name, value)
        try:
            candidate.validate_constraints()
        except ModelValidationError as error:
            raise serializers.ValidationError(as_serializer_error(error)) from error
        return attrs
