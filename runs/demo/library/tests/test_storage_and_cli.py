"""Stored calendars, and the command line on top of them."""

import contextlib
import io
import tempfile
import unittest
from datetime import date
from pathlib import Path

from cadence import Calendar, CodecError, Schedule, codec, parse
from cadence.cli import main

from . import DATA

OFFICE = DATA / "office.json.gz"


class Storage(unittest.TestCase):
    def test_round_trip(self):
        texts = ("every 2 weeks on Mon and Thu", "monthly on the last Fri for 9 times")
        schedules = [
            Schedule(parse(text, start=date(2024, 1, 1)), text, {date(2024, 1, 4)})
            for text in texts
        ]
        calendar = Calendar("équipe", tuple(schedules))
        self.assertEqual(codec.loads(codec.dumps(calendar)), calendar)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("calendar.json", "calendar.json.gz"):
                codec.write(calendar, Path(folder, name))
                self.assertEqual(codec.read(Path(folder, name)), calendar)

    def test_compressed_file(self):
        self.assertEqual(codec.read(OFFICE).name, "office")

    def test_damage_is_reported(self):
        for text in ("", "[]", '{"format": 1}', '{"format": 2, "name": "later"}'):
            with self.subTest(text), self.assertRaises(CodecError):
                codec.loads(text)
        with tempfile.TemporaryDirectory() as folder:
            cut = Path(folder, "cut.json.gz")
            cut.write_bytes(OFFICE.read_bytes()[:40])
            with self.assertRaises(CodecError):
                codec.read(cut)


class CommandLine(unittest.TestCase):
    def run_cli(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([str(argument) for argument in arguments])
        return status, out.getvalue().splitlines(), err.getvalue()

    def test_list(self):
        status, lines, _ = self.run_cli(
            "list", "monthly on day 15", "--from", "2024-01-01", "-n", 2,
            "--after", "2024-05-31", "--roll", "following",
        )  # fmt: skip
        self.assertEqual((status, lines), (0, ["2024-06-17", "2024-07-15"]))

    def test_describe_and_agenda(self):
        _, lines, _ = self.run_cli("describe", OFFICE)
        self.assertEqual(lines, ["plants: every 2 weeks on Mon"])
        _, lines, _ = self.run_cli("agenda", OFFICE, "--from", "2024-01-15")
        self.assertEqual(lines, ["2024-01-15  plants"])

    def test_errors_and_nothing(self):
        self.assertEqual(self.run_cli("list", "now and then")[0], 2)
        self.assertEqual(self.run_cli("describe", "nowhere.json")[0], 2)
        self.assertEqual(self.run_cli("agenda", OFFICE, "--from", "2020-01-01")[0], 1)
