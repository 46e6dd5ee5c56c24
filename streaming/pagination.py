"""Cursor pagination: stable while rows arrive."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class ById(CursorPagination):
    """For tables that people edit."""

    ordering: tuple[str, ...] = ("id",)
    page_size_query_param = "page_size"
    max_page_size = 1000


class NewestFirst(ById):
    """For event tables."""

    ordering = ("-occurred_at", "-id")
