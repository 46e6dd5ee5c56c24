"""The name, code and address of an erased person in the texts of other rows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q

from alerts.models import Alert, AlertDelivery

from .models import AccessLog, Employee, UnknownPerson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import Model

Columns: TypeAlias = "tuple[type[Model], Sequence[str]]"
"""A model and the names of its texts."""
SHORT: Final = 4
"""A name of no more letters may be a word of any text."""


@dataclass(frozen=True, slots=True)
class Words:
    """What tells of a person, now or in earlier days, and what stands there instead."""

    codes: Mapping[str, str]
    """Codes and e-mail addresses: found anywhere, they mean this person."""
    names: Mapping[str, str]
    """Found anywhere, they mean this person too."""
    vague: Mapping[str, str]
    """Names that may mean something or somebody else: replaced only in texts that are
    about this person for another reason."""

    @property
    def searched(self) -> Iterable[str]:
        return [*self.codes, *self.names]

    def replaced(self, text: str) -> str:
        words = {**self.vague, **self.names, **self.codes}
        instead = {word.casefold(): words[word] for word in words}
        return _pattern(words).sub(lambda it: instead[it[0].casefold()], text)


def of(person: Employee, *, code: str, name: str) -> Words:
    """Return the words of a person; `code` and `name` are what is put instead."""
    told: Any = person.history.values_list("code", "email", "name")
    rows = [(person.code, person.email, person.name), *told.iterator()]
    names = {row[2] for row in rows}
    others = Employee.objects.exclude(pk=person.pk).filter(name__in=names)
    vague = {name for name in names if len(name) <= SHORT}.union(
        others.values_list("name", flat=True)
    )
    return Words(
        codes=_in_all_forms({row[0]: code for row in rows})
        | _in_all_forms({row[1]: name for row in rows if row[1]}),
        names=_in_all_forms(dict.fromkeys(names - vague, name)),
        vague=_in_all_forms(dict.fromkeys(vague, name)),
    )


def replace(words: Words, *, person: Employee) -> int:
    """Write the texts anew that name the person; return how many rows did."""
    columns: Sequence[Columns] = (
        (Alert, ("subject", "text", "note")),
        (AlertDelivery, ("body", "answer")),
        (AccessLog, ("notes",)),
        (UnknownPerson, ("notes",)),
        (UnknownPerson.history.model, ("notes", "history_change_reason")),
        (Employee, ("notes",)),
        (Employee.history.model, ("notes", "history_change_reason")),
    )
    named = replace_in(columns, words)
    entries = ("object_repr", "change_message")
    rows = _holding(entries, words) | _entries_about(person)
    return named + _replace_in(LogEntry, entries, words, rows)


def replace_in(columns: Sequence[Columns], words: Words) -> int:
    """Write the texts in these columns anew; return how many rows did name them."""
    return sum(
        _replace_in(model, fields, words, _holding(fields, words))
        for model, fields in columns
    )


def _replace_in(
    model: type[Model], fields: Sequence[str], words: Words, rows: Q
) -> int:
    manager: Any = model._default_manager
    changed = 0
    for row in manager.filter(rows).only("pk", *fields).iterator():
        texts = {name: getattr(row, name) or "" for name in fields}
        new = {name: words.replaced(text) for name, text in texts.items()}
        if new != texts:
            manager.filter(pk=row.pk).update(
                **{name: _fitting(model, name, new[name]) for name in fields}
            )
            changed += 1
    return changed


def _fitting(model: type[Model], name: str, text: str) -> str:
    return text[: getattr(model._meta.get_field(name), "max_length", None)]


def _holding(fields: Sequence[str], words: Words) -> Q:
    return reduce(
        or_,
        (
            Q(**{f"{name}__icontains": word})
            for name in fields
            for word in words.searched
        ),
    )


def _entries_about(person: Employee) -> Q:
    """Keep the admin's notes about this very row, however short the name is."""
    kind = ContentType.objects.get_for_model(Employee)
    return Q(content_type=kind, object_id=str(person.pk))


def _in_all_forms(words: Mapping[str, str]) -> dict[str, str]:
    """Add how JSON writes the words, in ASCII and not."""
    return {
        form: instead
        for word, instead in words.items()
        for form in (
            word,
            json.dumps(word)[1:-1],
            json.dumps(word, ensure_ascii=False)[1:-1],
        )
    }


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Match the words where they stand alone: E-10 is not E-104 nor E-10-2."""
    longest_first = sorted(words, key=len, reverse=True)
    choices = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"(?<![\w-])(?:{choices})(?![\w-])", re.IGNORECASE)
