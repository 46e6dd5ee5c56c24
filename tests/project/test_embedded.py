from __future__ import annotations

import importlib
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from factory_site import embedded
from factory_site.embedded_servers import (
    SOCKET_PATH_MAX_BYTES,
    Postgres,
    Redis,
    Server,
    make_folders,
)
from tests.processes import Running, running, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = """
import sys
from pathlib import Path
from factory_site.embedded import servers
with servers(Path(sys.argv[1]), database=True, redis=True):
    print("ready", flush=True)
    sys.stdin.read()
"""
folder_names = st.text(
    st.characters(exclude_characters="/", exclude_categories=["C"]), min_size=1
).filter(lambda name: name not in {".", ".."})


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    # Not tmp_path: pytest closes that to the account that runs servers for root.
    with tempfile.TemporaryDirectory(prefix="embedded ") as folder:
        yield Path(folder)


@pytest.fixture
def fresh_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="embedded ") as folder:
        yield Path(folder)


@contextmanager
def another_process_using(var_dir: Path) -> Iterator[Running]:
    """Hold both servers in a second process for the length of the block."""
    with running([sys.executable, "-c", HOLD, str(var_dir)]) as other:
        other.wait_for("ready")
        yield other
        if other.process.poll() is None:
            other.process.communicate()


def query(var_dir: Path, statement: str) -> Any:
    at = embedded.database_settings(var_dir)
    with psycopg.connect(
        host=at["HOST"], port=at["PORT"], user=at["USER"], dbname=at["NAME"]
    ) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def pids(var_dir: Path) -> list[int | None]:
    found = [server.process() for server in both(var_dir)]
    return [process.pid if process else None for process in found]


def both(var_dir: Path) -> tuple[Server, Server]:
    return Postgres.under(var_dir), Redis.under(var_dir)


class TestAddresses:
    @settings(deadline=None)
    @given(st.lists(folder_names, min_size=1, max_size=6))
    def test_fit_into_a_socket_address_however_deep_the_folder(
        self, names: list[str]
    ) -> None:
        for server in both(Path("/").joinpath(*names)):
            path = os.fsencode(server.socket_path)
            assert len(path) <= SOCKET_PATH_MAX_BYTES

    def test_differ_between_two_deep_folders(self) -> None:
        deep = Path("/" + "x" * 120)
        paths = {
            server.socket_path.parent
            for folder in (deep / "a", deep / "b")
            for server in both(folder)
        }
        assert len(paths) == 4


class TestServers:
    def test_give_a_utf8_database_with_pgvector(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=False):
            query(var_dir, "CREATE EXTENSION IF NOT EXISTS vector")
            assert query(var_dir, "SELECT '[3,4]'::vector <-> '[0,0]'") == (5.0,)
            assert query(var_dir, "SHOW server_encoding") == ("UTF8",)
            assert query(var_dir, "SELECT upper('\u00e4')") == ("\u00c4",)

    def test_keep_rows_and_queues_over_a_restart(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True):
            query(var_dir, "CREATE TABLE kept (id int)")
            with redis.Redis.from_url(embedded.redis_url(var_dir)) as client:
                client.rpush("celery", "job")
        with embedded.servers(var_dir, database=True, redis=True):
            assert query(var_dir, "SELECT count(*) FROM kept") == (0,)
            with redis.Redis.from_url(embedded.redis_url(var_dir)) as client:
                assert client.lpop("celery") == b"job"

    def test_take_the_messages_of_celery(self, var_dir: Path) -> None:
        kombu: Any = importlib.import_module("kombu")
        url = embedded.redis_url(var_dir)
        with embedded.servers(var_dir, database=False, redis=True):
            with kombu.Connection(url.replace("unix://", "redis+socket://")) as broker:
                broker.SimpleQueue("jobs").put("job")
            with redis.Redis.from_url(url) as client:
                assert client.llen("jobs") == 1

    def test_listen_on_no_network_port(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True) as running:
            for server in running:
                process = server.process()
                assert process is not None
                assert process.net_connections(kind="inet") == []

    def test_are_closed_to_other_accounts(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True) as running:
            for server in running:
                mode = server.socket_path.parent.stat().st_mode
                assert mode & 0o077 == 0

    def test_work_in_a_deep_folder(self, fresh_dir: Path) -> None:
        deep = fresh_dir / "it's" / ("x" * 120)
        with embedded.servers(deep, database=True, redis=True):
            assert query(deep, "SELECT 1") == (1,)
        assert pids(deep) == [None, None]
        for server in both(deep):  # Outside `fresh_dir`, and empty now.
            server.socket_path.parent.rmdir()

    def test_run_only_where_wanted(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=False, redis=True):
            postgres, redis_server = pids(var_dir)
            assert postgres is None
            assert redis_server is not None
        with embedded.servers(var_dir, database=False, redis=False) as running:
            assert running == []

    def test_stop_with_their_block(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True):
            assert None not in pids(var_dir)
        assert pids(var_dir) == [None, None]

    def test_stop_when_their_block_fails(self, var_dir: Path) -> None:
        with (
            pytest.raises(ZeroDivisionError),
            embedded.servers(var_dir, database=True, redis=True),
        ):
            raise ZeroDivisionError
        assert pids(var_dir) == [None, None]


class TestSharing:
    def test_outlives_the_process_that_started_them(self, var_dir: Path) -> None:
        with another_process_using(var_dir):
            started = pids(var_dir)
            shared = embedded.servers(var_dir, database=True, redis=True)
            shared.__enter__()
        assert pids(var_dir) == started
        shared.__exit__(None, None, None)
        assert pids(var_dir) == [None, None]

    def test_leaves_another_process_its_servers(self, var_dir: Path) -> None:
        with another_process_using(var_dir):
            started = pids(var_dir)
            with embedded.servers(var_dir, database=True, redis=True):
                assert pids(var_dir) == started
            assert pids(var_dir) == started
        assert pids(var_dir) == [None, None]


class TestRecovery:
    def test_takes_over_from_a_killed_owner(self, var_dir: Path) -> None:
        with another_process_using(var_dir) as other:
            started = pids(var_dir)
            other.process.kill()
        assert pids(var_dir) == started
        with embedded.servers(var_dir, database=True, redis=True):
            assert pids(var_dir) == started
        assert pids(var_dir) == [None, None]

    def test_starts_killed_servers_again(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True) as running:
            for server in running:
                process = server.process()
                assert process is not None
                process.kill()
                assert survivors([process]) == []
            assert [embedded.revive(server) for server in running] == [True, True]
            assert [embedded.revive(server) for server in running] == [False, False]
            assert query(var_dir, "SELECT 1") == (1,)

    def test_ignores_pid_files_that_name_another_process(self, var_dir: Path) -> None:
        with embedded.servers(var_dir, database=True, redis=True):
            pass
        postgres, redis_server = both(var_dir)
        stale = f"{os.getppid()}\n"
        (postgres.folder / "data" / "postmaster.pid").write_text(stale)
        Path(f"{postgres.socket_path}.lock").write_text(stale)
        (redis_server.folder / "server.pid").write_text(stale)
        assert pids(var_dir) == [None, None]
        with embedded.servers(var_dir, database=True, redis=True):
            assert query(var_dir, "SELECT 1") == (1,)

    def test_makes_a_half_made_data_folder_again(self, fresh_dir: Path) -> None:
        postgres = Postgres.under(fresh_dir)
        make_folders(postgres)
        (postgres.folder / "data.unfinished" / "base").mkdir(parents=True)
        with embedded.servers(fresh_dir, database=True, redis=False):
            assert query(fresh_dir, "SELECT 1") == (1,)


class TestServerDidNotStart:
    def test_names_the_version_of_an_old_data_folder(self, fresh_dir: Path) -> None:
        postgres = Postgres.under(fresh_dir)
        make_folders(postgres)
        postgres.data.mkdir()
        (postgres.data / "PG_VERSION").write_text("16\n")
        with (
            pytest.raises(embedded.ServerDidNotStart, match="made by Postgres 16"),
            embedded.servers(fresh_dir, database=True, redis=False),
        ):
            pass

    def test_gives_the_reason_of_postgres(self, fresh_dir: Path) -> None:
        with embedded.servers(fresh_dir, database=True, redis=False):
            pass
        (Postgres.under(fresh_dir).data / "global" / "pg_control").write_bytes(b"")
        with (
            pytest.raises(embedded.ServerDidNotStart, match="pg_control"),
            embedded.servers(fresh_dir, database=True, redis=False),
        ):
            pass

    def test_gives_the_reason_of_redis(self, fresh_dir: Path) -> None:
        server = Redis.under(fresh_dir)
        make_folders(server)
        (server.folder / "dump.rdb").write_bytes(b"not a snapshot")
        with (
            pytest.raises(embedded.ServerDidNotStart, match="error loading the DB"),
            embedded.servers(fresh_dir, database=False, redis=True),
        ):
            pass

    def test_tells_of_a_file_in_the_place_of_the_folder(self, fresh_dir: Path) -> None:
        (fresh_dir / "redis").write_text("")
        with (
            pytest.raises(embedded.ServerDidNotStart, match="embedded Redis"),
            embedded.servers(fresh_dir, database=False, redis=True),
        ):
            pass

    def test_leaves_nothing_running(self, fresh_dir: Path) -> None:
        (fresh_dir / "redis").write_text("")
        with (
            pytest.raises(embedded.ServerDidNotStart),
            embedded.servers(fresh_dir, database=True, redis=True),
        ):
            pass
        assert Postgres.under(fresh_dir).process() is None
