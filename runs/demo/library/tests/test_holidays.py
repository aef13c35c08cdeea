"""Holiday files and business days."""

import unittest
from datetime import date

from cadence import ParseError, RuleError, parse_holidays, read_holidays

from . import DATA, days


class Holidays(unittest.TestCase):
    def setUp(self):
        self.france = read_holidays(DATA / "jours-feries.txt", encoding="latin-1")

    def test_names(self):
        self.assertEqual(self.france.name_of(date(2030, 12, 25)), "Noël")
        self.assertEqual(self.france.name_of(date(2024, 5, 20)), "Lundi de Pentecôte")
        self.assertIsNone(self.france.name_of(date(2025, 5, 20)))

    def test_conventions(self):
        saturday = date(2024, 8, 31)
        for convention, expected in {
            "none": saturday,
            "following": date(2024, 9, 2),
            "preceding": date(2024, 8, 30),
            "modified": date(2024, 8, 30),
        }.items():
            self.assertEqual(self.france.roll(saturday, convention), expected)
        with self.assertRaises(RuleError):
            self.france.roll(saturday, "sideways")

    def test_adjusted_days_may_meet(self):
        found = self.france.adjust(days("2024-05-08", "2024-05-09", "2024-05-11"))
        self.assertEqual(found, days("2024-05-10", "2024-05-13"))

    def test_adding_business_days(self):
        day = date(2024, 5, 7)
        self.assertEqual(self.france.add_business_days(day, 1), date(2024, 5, 10))
        self.assertEqual(self.france.add_business_days(day, -2), date(2024, 5, 3))

    def test_bad_lines(self):
        for text in ("25 Dec =", "31 Feb = No", "2024-13-01 = No", "x May = No"):
            with self.subTest(text), self.assertRaises(ParseError):
                parse_holidays(text)
