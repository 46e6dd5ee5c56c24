from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factory_site.supervisor import Budget, Restart, next_start
from tests.processes import HANG_S, Running, running, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = """
import json, os, sys
from pathlib import Path
from factory_site import supervisor
programs, budget, grace_s = json.loads(sys.argv[1])
supervisor.STOP_GRACE_S = grace_s
sys.exit(supervisor.Supervisor(
    [supervisor.Program(**program) for program in programs],
    cwd=Path.cwd(), env=os.environ, output=sys.stdout,
    budget=supervisor.Budget(**budget),
).run())
"""
SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
WITH_CHILD = (
    "import subprocess, sys; "
    "subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session={apart}); "
    + SLEEP
)
times_s = st.lists(st.floats(0, 1000), max_size=12)
budgets = st.builds(
    Budget,
    ends=st.integers(1, 8),
    window_s=st.floats(1, 300),
    first_delay_s=st.floats(0.1, 5),
    retry_s=st.floats(1, 600),
)


@contextmanager
def supervise(
    *programs: dict[str, Any], grace_s: float = 3.5, **budget: float
) -> Iterator[Running]:
    arguments = json.dumps([programs, budget, grace_s])
    with running([sys.executable, "-c", RUN, arguments]) as supervised:
        yield supervised


def python(name: str, code: str, *, vital: bool = False) -> dict[str, Any]:
    return {"name": name, "command": [sys.executable, "-c", code], "vital": vital}


class TestNextStart:
    @pytest.mark.parametrize(
        ("ends_s", "expected"),
        [
            ([100], Restart(0.5, given_up=False)),
            ([99, 100], Restart(1, given_up=False)),
            ([98, 99, 100], Restart(2, given_up=False)),
            ([97, 98, 99, 100], Restart(4, given_up=False)),
            ([96, 97, 98, 99, 100], Restart(60, given_up=True)),
            ([41, 98, 98, 99, 100], Restart(60, given_up=True)),
            ([40, 98, 98, 99, 100], Restart(4, given_up=False)),
            ([1, 2, 3, 4, 100], Restart(0.5, given_up=False)),
        ],
    )
    def test_counts_the_ends_of_the_last_minute(
        self, ends_s: list[float], expected: Restart
    ) -> None:
        assert next_start(ends_s, now_s=100, budget=Budget()) == expected

    def test_keeps_a_given_up_process_to_one_try_a_minute(self) -> None:
        plan = next_start([100], now_s=100, budget=Budget(), given_up=True)
        assert plan == Restart(60, given_up=True)

    @given(times_s, budgets)
    def test_gives_up_exactly_at_the_limit(
        self, ends_s: list[float], budget: Budget
    ) -> None:
        recent = [end_s for end_s in ends_s if 1000 - end_s < budget.window_s]
        plan = next_start(ends_s, now_s=1000, budget=budget)
        assert plan.given_up == (len(recent) >= budget.ends)

    @given(times_s, budgets, st.randoms())
    def test_ignores_the_order_of_the_ends(
        self, ends_s: list[float], budget: Budget, random: Any
    ) -> None:
        shuffled = random.sample(ends_s, len(ends_s))
        assert next_start(shuffled, now_s=1000, budget=budget) == next_start(
            ends_s, now_s=1000, budget=budget
        )

    @given(times_s, budgets, st.floats(0, 1000))
    def test_is_never_more_eager_after_another_end(
        self, ends_s: list[float], budget: Budget, another_s: float
    ) -> None:
        before = next_start(ends_s, now_s=1000, budget=budget)
        after = next_start([*ends_s, another_s], now_s=1000, budget=budget)
        assert after.given_up >= before.given_up
        if after.given_up == before.given_up:
            assert after.delay_s >= before.delay_s


class TestOutput:
    def test_has_the_name_of_its_process_before_each_line(self) -> None:
        code = "print('one'); print('two', end='')"
        with supervise(python("talker", code), python("x", SLEEP)) as supervised:
            supervised.wait_for(r"^\d\d:\d\d:\d\d talker \| one$")
            supervised.wait_for(r"^\d\d:\d\d:\d\d talker \| two$")

    def test_carries_on_when_a_process_closes_it(self) -> None:
        code = "import os, time; os.close(1); os.close(2); time.sleep(600)"
        with supervise(python("quiet", code), python("loud", SLEEP)) as supervised:
            supervised.wait_for(r"loud +\| up")
            supervised.send(signal.SIGINT)
            assert supervised.exit_code() == 0

    def test_that_nobody_reads_any_more_stops_all(self) -> None:
        chatty = "import time\nwhile True: print('more', flush=True); time.sleep(.01)"
        with supervise(python("chatty", chatty)) as supervised:
            supervised.wait_for("more")
            family = supervised.family()
            supervised.output.close()
            supervised.process.wait(HANG_S)
            assert survivors(family) == []


class TestRestart:
    def test_follows_a_killed_process(self) -> None:
        with supervise(python("vision", SLEEP)) as supervised:
            supervised.wait_for(r"vision \| up")
            supervised.family()[0].kill()
            supervised.wait_for(r"vision was ended by SIGKILL; starting it again")
            supervised.wait_for(r"vision \| up")

    def test_follows_an_end_without_error(self) -> None:
        with supervise(python("beat", "print('up')"), first_delay_s=0.01) as supervised:
            supervised.wait_for("beat ended with code 0; starting it again in 0.01 s")
            supervised.wait_for("beat ended with code 0; starting it again in 0.02 s")

    def test_comes_after_the_rest_of_its_group_is_gone(self) -> None:
        code = WITH_CHILD.format(child=STUBBORN, apart=False)
        with supervise(python("worker", code)) as supervised:
            supervised.wait_for("up")
            supervised.wait_for("up")
            worker, pool_child = supervised.family()
            worker.kill()
            supervised.wait_for("starting it again")
            assert survivors([pool_child]) == []

    def test_is_given_up_and_tried_again_later_while_others_run(self) -> None:
        with supervise(
            python("vision", "raise SystemExit(3)"),
            python("web", SLEEP, vital=True),
            ends=2,
            first_delay_s=0.01,
            retry_s=0.01,
        ) as supervised:
            gave_up = "gave up on vision: ended 2 times in 60 s; next try in 0.01 s"
            supervised.wait_for(gave_up)
            supervised.wait_for("vision started")
            supervised.wait_for(gave_up)
            supervised.send(signal.SIGTERM)
            assert supervised.exit_code() == 0

    def test_given_up_for_a_vital_process_stops_all(self) -> None:
        with supervise(
            python("vision", SLEEP),
            python("web", "raise SystemExit(3)", vital=True),
            ends=2,
            first_delay_s=0.5,
        ) as supervised:
            supervised.wait_for("starting it again")
            family = supervised.family()
            assert supervised.exit_code() == 1
            assert "gave up on web: ended 2 times in 60 s\n" in supervised.printed
            assert survivors(family) == []

    def test_is_tried_for_a_command_that_does_not_exist(self) -> None:
        missing = {"name": "x", "command": ["/nonexistent/program"]}
        with supervise(missing) as supervised:
            supervised.wait_for("x cannot start: .*; starting it again in 0.5 s")


class TestStop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_leaves_nothing_running(self, number: signal.Signals) -> None:
        programs = [python("web", SLEEP, vital=True), python("vision", SLEEP)]
        with supervise(*programs) as supervised:
            supervised.wait_for("up$")
            supervised.wait_for("up$")
            family = supervised.family()
            supervised.send(number)
            assert supervised.exit_code() == 0
            assert len(family) == 2
            assert survivors(family) == []

    @pytest.mark.parametrize("apart", [False, True])
    def test_reaches_the_processes_of_a_process(self, *, apart: bool) -> None:
        code = WITH_CHILD.format(child=STUBBORN, apart=apart)
        with supervise(python("worker", code)) as supervised:
            supervised.wait_for("up")
            supervised.wait_for("up")
            family = supervised.family()
            supervised.send(signal.SIGTERM)
            assert supervised.exit_code() == 0
            assert len(family) == 2
            assert survivors(family) == []

    def test_kills_what_does_not_stop_in_time(self) -> None:
        with supervise(python("stuck", STUBBORN), grace_s=0.1) as supervised:
            supervised.wait_for(r"stuck \| up")
            family = supervised.family()
            supervised.send(signal.SIGTERM)
            assert supervised.exit_code() == 0
            assert "did not stop in time; killing it" in supervised.printed
            assert survivors(family) == []

    def test_kills_at_once_on_a_second_signal(self) -> None:
        with supervise(python("stuck", STUBBORN), grace_s=3600) as supervised:
            supervised.wait_for(r"stuck \| up")
            family = supervised.family()
            supervised.send(signal.SIGINT)
            supervised.wait_for("stopping")
            supervised.send(signal.SIGINT)
            assert supervised.exit_code() == 0
            assert survivors(family) == []

    @pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
    def test_of_a_killed_supervisor_takes_its_processes_along(self) -> None:
        with supervise(python("stuck", STUBBORN)) as supervised:
            supervised.wait_for(r"stuck \| up")
            family = supervised.family()
            supervised.send(signal.SIGKILL)
            assert survivors(family) == []
