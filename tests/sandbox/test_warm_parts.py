"""The pure parts of the warm container: orders, listening, activation, the pool."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.docker.warm import orders
from sandbox.docker.warm.activation import only_sets_variables, variables_of
from sandbox.docker.warm.listening import Listener, Raw, new_mark
from sandbox.docker.warm.pool import Pool
from sandbox.launch import StagedFile

# Orders


def test_orders_say_what_they_mean() -> None:
    assert orders.execute("m", None, 2.5) == b"run m 0 3\n"
    assert orders.execute("m", 7, 9) == b"run m 7 9\n"
    assert orders.lay_patch("m", 7, 0.5) == b"patch m 7 1\n"
    assert orders.unstage("a b") == b"gone a b\n"
    assert orders.stage([StagedFile("a b", b"\n\0x")]) == b"file 3 a b\n\n\0x"


# Listening


@given(st.binary(max_size=200), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_output_ends_at_the_mark_however_it_is_cut(output: bytes, cuts: list[int]) -> None:
    mark, raw = new_mark(), Raw(1 << 20)
    listener = Listener(mark, raw)
    stream = output + f"\x1e{mark} 3 oom\n".encode()
    at = 0
    for number in range(len(stream)):
        size = cuts[number % len(cuts)]
        listener.hear(False, stream[at : at + size])
        at += size
    assert bytes(raw.data) == output
    assert listener.answer == ["3", "oom"]
    assert not listener.over  # standard error has not come to its end
    listener.hear(True, f"said\x1e{mark}\n".encode())
    assert listener.over
    assert listener.said == "said"


def test_a_guess_is_no_mark() -> None:
    mark, raw = new_mark(), Raw(1 << 20)
    listener = Listener(mark, raw, begin="b")
    guess = f"\x1e{new_mark()} 0 -\n\x1e{mark[:-1]}".encode()
    listener.hear(False, guess)
    listener.finish()
    assert (bytes(raw.data), listener.answer, listener.begun) == (guess, None, False)
    listener.hear(True, b"noise\n\x1eb\n")
    assert listener.begun
    assert listener.said == "noise"


def test_what_is_said_is_bounded() -> None:
    listener = Listener("m", Raw(0))
    for _ in range(100):
        listener.hear(True, b"x" * 10_000)
    assert len(listener.said) < 20_000
    listener.hear(True, b"\x1em\n")
    listener.hear(False, b"\x1em 0 -\n")
    assert listener.over


# Activation


@pytest.mark.parametrize(
    "lines",
    [
        "source /opt/miniconda3/bin/activate && conda activate testbed",
        ". /opt/venv/bin/activate",
        'source activate.d/bin/activate\nexport A=b\n# why\nexport C="$PATH:/x"',
        'eval "$(conda shell.bash hook)"; conda activate x',
        "",
    ],
)
def test_lines_that_only_set_variables(lines: str) -> None:
    assert only_sets_variables(lines)


@pytest.mark.parametrize(
    "lines",
    [
        "service postgresql start",
        "source /opt/x/bin/activate && make",
        "export A=$(date)",
        "export A=`date`",
        'export A="$(touch /x)"',
        "source /opt/x/bin/activate | tee log",
        "ulimit -n 100",
        "cd /elsewhere",
        "source /opt/x/setup.sh",
        "conda activate x > /tmp/log",
    ],
)
def test_lines_that_may_do_more_run_each_time(lines: str) -> None:
    assert not only_sets_variables(lines)


def test_variables_of_a_process() -> None:
    environ = b"A=1\0B=x=y\nz\0PWD=/x\0EMPTY=\0BYTES=\xff\0"
    assert variables_of(environ) == {"A": "1", "B": "x=y\nz", "EMPTY": "", "BYTES": "\udcff"}


# The pool


class Idle:
    """A container as the pool sees it."""

    def __init__(self, *, usable: bool = True) -> None:
        self.usable = usable
        self.used_at = 0.0
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_pool_gives_back_what_fits_and_ends_what_is_too_much() -> None:
    pool = Pool(2)
    first, second, third, broken = Idle(), Idle(), Idle(), Idle(usable=False)
    for key, container in (("a", first), ("b", second), ("a", third), ("a", broken)):
        pool.give(key, container)  # type: ignore[arg-type]
    assert (first.closed, broken.closed) == (1, 1)
    assert pool.take("c") is None
    assert pool.take("a") is third
    assert pool.take("a") is None
    pool.drop(lambda key: key == "b")
    assert (second.closed, third.closed) == (1, 0)
    pool.close()
    pool.give("a", third)  # type: ignore[arg-type]
    assert third.closed == 1


def test_what_was_idle_for_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(9)
    old, new = Idle(), Idle()
    monkeypatch.setattr("time.monotonic", lambda: 1000.0)
    pool.give("a", old)  # type: ignore[arg-type]
    monkeypatch.setattr("time.monotonic", lambda: 1301.0)
    pool.give("a", new)  # type: ignore[arg-type]
    assert (old.closed, new.closed) == (1, 0)
