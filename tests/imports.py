"""Tables as people send them to the admin's import pages."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse
    from django.test import Client

CSV, XLSX = "0", "1"


@dataclass(frozen=True)
class ImportPage:
    """Where tables of one model go."""

    model: str
    """With its app: identity_employee."""

    @property
    def address(self) -> str:
        return reverse(f"admin:{self.model}_import")

    def upload(
        self,
        client: Client,
        content: str | bytes,
        *,
        kind: str = CSV,
        name: str = "list.csv",
    ) -> Any:
        """Send a file; the answer shows what would become of each row."""
        data = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile(name, data)
        form = {"format": kind, "resource": "", "import_file": file}
        return client.post(self.address, form)

    def confirm(self, client: Client, shown: Any) -> HttpResponse:
        form = shown.context["confirm_form"].initial
        address = reverse(f"admin:{self.model}_process_import")
        return client.post(address, form, follow=True)  # type: ignore[return-value]


def wrong(shown: Any) -> dict[int, str]:
    """Return what is said of each wrong row, by its number in the file."""
    assert "confirm_form" not in shown.context
    return {
        row.number: " ".join(row.error.messages)
        for row in shown.context["result"].invalid_rows
    }


def xlsx(*table: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for line in table:
        book.active.append(line)
    packed = BytesIO()
    book.save(packed)
    return packed.getvalue()
