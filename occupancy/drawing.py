"""All that is drawn on one camera's picture, stored whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.forms.models import BaseInlineFormSet, inlineformset_factory

from streaming.models import Camera

from .forms import DrawnForm, LineForm, ZoneForm
from .models import CountingLine, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

DRAWN_MAX: Final = 50
"""Lines, or zones, of one camera: more than anybody can tell apart in a picture."""
GONE: Final = "Somebody else deleted it meanwhile. Delete it here too."
TAKEN: Final = "Another one here has this name."


class DrawnFormSet(BaseInlineFormSet[Any, Camera, Any]):
    """The lines or the zones of one camera, with those yet to be made."""

    deletion_widget = forms.CheckboxInput

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["id"].error_messages["invalid_choice"] = GONE
        form.fields["DELETE"].label = "Delete it"

    def delete_marked(self) -> None:
        """Delete first, so that what is made may take the name of what goes."""
        for form in self.initial_forms:
            if form["DELETE"].data and form.instance.pk is not None:
                form.stays = not _delete(form.instance)

    def save_existing(self, form: Any, obj: Any, commit: Any = True) -> Any:  # noqa: FBT002
        form.store()
        return obj

    def delete_existing(self, obj: Model, commit: Any = True) -> None:  # noqa: FBT002
        """Do nothing: `delete_marked` has deleted it."""

    def clean(self) -> None:
        super().clean()
        # Numbers are left out where something new was taken away before it was saved.
        wanted = [form for form in self.forms if form.has_changed() or form.instance.pk]
        if sum(not self.is_going(form) for form in wanted) > DRAWN_MAX:
            raise ValidationError(f"A camera has at most {DRAWN_MAX} of them.")

    def is_going(self, form: Any) -> bool:
        """Whether it is to be deleted, and can be; of a form that was sent."""
        return self._should_delete_form(form)

    def get_unique_error_message(self, unique_check: Any) -> str:
        return TAKEN

    def get_form_error(self) -> str:
        return TAKEN

    def _should_delete_form(self, form: Any) -> bool:
        return not form.stays and super()._should_delete_form(form)  # type: ignore[misc]


def _delete(row: Model) -> bool:
    """Delete a row, unless others refer to it; return whether it is gone."""
    rows: Any = type(row)._default_manager
    try:
        with transaction.atomic():
            rows.filter(pk=row.pk).delete()
    except ProtectedError:
        return False
    return True


def _formset(form: type[DrawnForm]) -> Any:
    return inlineformset_factory(
        Camera,
        form._meta.model,
        form=form,
        formset=DrawnFormSet,
        extra=1,
    )


LineFormSet, ZoneFormSet = _formset(LineForm), _formset(ZoneForm)


class Drawing:
    """All that is drawn on one camera's picture, as a form shows it."""

    def __init__(self, camera: Camera, data: Any = None) -> None:
        self.lines = LineFormSet(
            data,
            instance=camera,
            prefix="lines",
            queryset=CountingLine.objects.order_by("pk"),
        )
        self.zones = ZoneFormSet(
            data,
            instance=camera,
            prefix="zones",
            queryset=Zone.objects.order_by("pk"),
        )
        self.is_saved = False

    def groups(self) -> tuple[Any, Any]:
        return self.lines, self.zones

    @property
    def is_refused(self) -> bool:
        return bool(self.lines.is_bound and not self.is_saved)

    def refused(self) -> Iterator[tuple[Any, list[str]]]:
        """Yield each form that has something wrong with it, and the sentences."""
        for group in self.groups():
            for form in group.forms:
                if form.errors and not group.is_going(form):
                    yield form, [text for each in form.errors.values() for text in each]

    def store(self) -> None:
        """Store all of it, or nothing; must be called in a transaction."""
        for group in self.groups():
            group.delete_marked()
        found = [group.is_valid() for group in self.groups()]
        self.is_saved = all(found)
        if self.is_saved:
            for group in self.groups():
                group.save()
        else:
            transaction.set_rollback(True)


@transaction.atomic
def save_drawing(*, camera: Camera, data: Any) -> Drawing:
    """Store what a form says is drawn; where a part is refused nothing is stored."""
    Camera.objects.select_for_update(no_key=True).get(pk=camera.pk)
    drawing = Drawing(camera, data)
    drawing.store()
    return drawing
