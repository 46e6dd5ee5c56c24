from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from streaming import locks

pytestmark = pytest.mark.django_db(transaction=True)


def held(*names: str) -> bool:
    """Say whether somebody else would have to wait for one of these."""
    waits = threading.Event()

    def ask() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                locks.hold(*names)
        except Exception:
            waits.set()
        finally:
            connection.close()

    other = threading.Thread(target=ask)
    other.start()
    other.join(20)
    return waits.is_set()


class TestHold:
    def test_keeps_others_from_each_of_its_names(self) -> None:
        with transaction.atomic():
            locks.hold("one", "other")

            assert held("one")
            assert held("third", "other")
            assert not held("third")

    def test_ends_with_the_transaction(self) -> None:
        with transaction.atomic():
            locks.hold("one")

        assert not held("one")

    def test_may_be_asked_for_again_and_for_nothing(self) -> None:
        with transaction.atomic():
            locks.hold("one")
            locks.hold("one", "one")
            locks.hold()

            assert held("one")

    def test_is_taken_in_the_same_order_by_everybody(self) -> None:
        """Two who ask for the same names in other orders never wait for each other."""
        names = [f"name {number}" for number in range(20)]
        failures: list[Exception] = []

        def work(mine: list[str]) -> None:
            try:
                for _ in range(20):
                    with transaction.atomic():
                        locks.hold(*mine)
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()

        workers = [
            threading.Thread(target=work, args=[mine])
            for mine in (names, names[::-1], names[10:] + names[:10])
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)

        assert failures == []
