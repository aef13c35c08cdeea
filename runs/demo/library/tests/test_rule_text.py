"""Rule text, read and written, and what rules refuse."""

import unittest
from datetime import date

from cadence import Frequency, ParseError, Rule, RuleError, describe, parse
from cadence.rules import monthly, monthly_on, weekly, yearly

START = date(2024, 1, 1)


class Parsing(unittest.TestCase):
    def test_rules(self):
        cases = {
            "daily": Rule(Frequency.DAILY, START),
            "every other week on mon, thu": weekly(START, "Mon", "Thu", interval=2),
            "every Friday and Sunday": weekly(START, "Fri", "Sun"),
            "every weekday": weekly(START, "Mon", "Tue", "Wed", "Thu", "Fri"),
            "every 3 months on day 15": monthly(date(2024, 1, 15), interval=3),
            "monthly on the 2nd Tuesday": monthly_on(START, 2, "Tue"),
            "annually on 1 May for 3 times": yearly(date(2024, 5, 1), count=3),
            "monthly until 2024-06-30": monthly(START, until=date(2024, 6, 30)),
            "yearly from 2025-07-01": yearly(date(2025, 7, 1)),
        }
        for text, rule in cases.items():
            with self.subTest(text):
                self.assertEqual(parse(text, start=START), rule)

    def test_the_anchor_is_the_first_such_day(self):
        cases = {
            ("monthly on day 31", date(2024, 2, 10)): date(2024, 3, 31),
            ("monthly on day 5", date(2024, 12, 6)): date(2025, 1, 5),
            ("yearly on 29 Feb", date(2021, 1, 1)): date(2024, 2, 29),
        }
        for (text, start), anchor in cases.items():
            self.assertEqual(parse(text, start=start).start, anchor, text)

    def test_nonsense(self):
        for text in (
            "", "sometimes", "every", "every 0 days", "daily on Mon", "monthly on day",
            "monthly on day 32", "monthly on the 5th Mon", "yearly on 30 Feb",
            "weekly on Mon and", "daily until tomorrow", "daily for 3", "daily daily",
            "weekly for 0 times",
        ):  # fmt: skip
            with self.subTest(text), self.assertRaises(ParseError) as caught:
                parse(text, start=START)
            self.assertEqual(type(caught.exception), ParseError)


class Describing(unittest.TestCase):
    def test_what_is_written_can_be_read(self):
        for text in (
            "daily",
            "every 2 weeks on Mon, Wed and Fri",
            "monthly on day 31 for 1 time",
            "every 2 months on the last Fri",
            "yearly on 29 Feb until 2031-12-31",
        ):
            with self.subTest(text):
                rule = parse(text, start=START)
                self.assertEqual(describe(rule), text)
                self.assertEqual(parse(describe(rule, with_start=True)), rule)


class Refusals(unittest.TestCase):
    def test_rules_that_make_no_sense(self):
        for options in (
            {"interval": 0},
            {"count": 0},
            {"count": 2, "until": START},
            {"weekdays": (0,)},
            {"ordinal": 1},
            {"ordinal": 5, "weekdays": (0,)},
        ):
            with self.subTest(options), self.assertRaises(RuleError):
                monthly(START, **options)
