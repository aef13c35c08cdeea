"""Calendars: several schedules together."""

import unittest
from datetime import date

from cadence import Calendar, Entry, RuleError, Schedule, daily, monthly, weekly


class Calendars(unittest.TestCase):
    def setUp(self):
        self.team = Calendar(
            "team",
            (
                Schedule(weekly(date(2024, 1, 1)), "planning"),
                Schedule(monthly(date(2024, 1, 15)), "payroll"),
            ),
        )

    def test_agenda_merges_by_day(self):
        found = self.team.agenda(date(2024, 1, 8), date(2024, 1, 22))
        self.assertEqual(
            found,
            [
                Entry(date(2024, 1, 8), ("planning",)),
                Entry(date(2024, 1, 15), ("planning", "payroll")),
                Entry(date(2024, 1, 22), ("planning",)),
            ],
        )
        self.assertEqual(str(found[1]), "2024-01-15  planning, payroll")

    def test_clashes(self):
        found = self.team.clashes(date(2024, 1, 1), date(2024, 4, 30))
        self.assertEqual([entry.day.month for entry in found], [1, 4])

    def test_finite_schedules_run_out(self):
        short = Calendar("short", (Schedule(daily(date(2024, 1, 1), count=2), "a"),))
        self.assertEqual(len(list(short.entries(date(2023, 1, 1)))), 2)

    def test_names_are_needed_and_differ(self):
        with self.assertRaises(RuleError):
            Calendar("double", self.team.schedules * 2)
        with self.assertRaises(RuleError):
            Calendar("nameless", (Schedule(daily(date(2024, 1, 1))),))
