"""What another process does to a row between its loading and its saving here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from django.db.models import Model


def change_before_saving(
    monkeypatch: pytest.MonkeyPatch, model: type[Model], **meanwhile: Any
) -> None:
    """Have every row of the model changed just before one of them is saved."""
    save = model.save

    def slow_save(row: Model, **options: Any) -> None:
        model._default_manager.update(**meanwhile)
        save(row, **options)

    monkeypatch.setattr(model, "save", slow_save)
