"""What a person sees of a run on the way."""

import io

from rich.console import Console

from runs.show.live import LiveDisplay
from runs.store.registry import Status
from tests.support import scripted_model
from tests.support.model_server import ModelServer
from tests.support.world import World

PULLING = ["pulling a/b:1: 1 of 9 MB", "pulling a/b:1: 5 of 9 MB", "preparing the image", ""]


def shown(display: LiveDisplay) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(display.render())
    return console.file.getvalue()


def test_what_an_instance_waits_for_is_shown():
    for others in ([], ["b"]):  # one instance is shown in another way than many
        display = LiveDisplay(Console(file=io.StringIO()))
        for name in ["a", *others]:
            display.enter(name, Status.WAITING)
        display.opening("a", PULLING[1])
        assert "pulling a/b:1: 5 of 9 MB" in shown(display)


async def test_in_plain_lines_it_is_told_once(tmp_path):
    with ModelServer(scripted_model.answer) as server:
        world = World(tmp_path, server.base_url)
        world.sandbox.waits_for = PULLING
        await world.solve()
    printed = world.printed.getvalue()
    assert printed.count("calc: pulling a/b:1") == 1
    assert printed.count("calc: preparing the image") == 1
    assert "of 9 MB" not in printed
