"""The model server as a process: what it answered is on disk before anyone can see the answer."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.model import Message, ModelRequest
from agent.openai_client import OpenAIClient

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCRIPT = """
def label(body):
    return body["messages"][-1]["content"]

def answer(body):
    if label(body) == "many":
        return ["a", "b"]
    return "echo " + label(body)
"""


@pytest.fixture
def served(tmp_path):
    script, log = tmp_path / "script.py", tmp_path / "log.jsonl"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "tests.support.model_server", "--port", "0"]
    command += ["--log", str(log), "--script", str(script), "--delay", "0.05"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().split()[-1], process, log
        process.kill()


async def test_log(served):
    url, process, log = served
    client = OpenAIClient(url)
    assert (await client.check("mock")).models == ("mock",)
    for text in ("one", "two", "many"):
        message = (Message("user", text),)
        response = await client.complete(
            ModelRequest("t", 0, "mock", message, None, 9, ("s",) if text == "many" else ())
        )
    process.kill()
    await client.close()
    assert [choice.text for choice in response.choices] == ["a", "b"]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["label"] for line in lines] == ["one", "two", "many"]
    assert [line["n"] for line in lines] == [1, 1, 2]
    assert len({line["sha256"] for line in lines}) == 3
