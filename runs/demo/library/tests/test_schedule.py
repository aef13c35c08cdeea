"""Schedules: exceptions and queries."""

import unittest
from datetime import date

from cadence import RuleError, Schedule, monthly, weekly, yearly

from . import days


class Queries(unittest.TestCase):
    def setUp(self):
        self.fridays = Schedule(weekly(date(2024, 1, 5)))

    def test_next_and_previous_are_strict_unless_told(self):
        day = date(2024, 1, 12)
        self.assertEqual(self.fridays.next(day), date(2024, 1, 19))
        self.assertEqual(self.fridays.previous(day), date(2024, 1, 5))
        self.assertEqual(self.fridays.next(day, inclusive=True), day)
        self.assertEqual(self.fridays.previous(day, inclusive=True), day)

    def test_none_where_there_is_nothing(self):
        once = Schedule(yearly(date(2024, 3, 1), count=1))
        self.assertIsNone(once.next(date(2024, 3, 1)))
        self.assertIsNone(once.previous(date(2024, 3, 1)))

    def test_between_has_both_ends(self):
        found = self.fridays.between(date(2024, 2, 2), date(2024, 2, 16))
        self.assertEqual(found, days("2024-02-02", "2024-02-09", "2024-02-16"))
        with self.assertRaises(RuleError):
            self.fridays.between(date(2024, 2, 2), date(2024, 2, 1))

    def test_in(self):
        self.assertIn(date(2030, 1, 4), self.fridays)
        self.assertNotIn(date(2030, 1, 5), self.fridays)
        self.assertNotIn("2030-01-04", self.fridays)

    def test_month_ends(self):
        rent = Schedule(monthly(date(2024, 1, 31)))
        self.assertIn(date(2024, 2, 29), rent)
        self.assertEqual(rent.next(date(2024, 6, 1)), date(2024, 6, 30))


class Exceptions(unittest.TestCase):
    def setUp(self):
        self.plain = Schedule(monthly(date(2024, 1, 10)))

    def test_skipped_dates_are_left_out_everywhere(self):
        skipping = self.plain.skipping(date(2024, 2, 10))
        self.assertEqual(skipping.take(2), days("2024-01-10", "2024-03-10"))
        self.assertEqual(skipping.next(date(2024, 1, 10)), date(2024, 3, 10))
        self.assertEqual(skipping.previous(date(2024, 3, 10)), date(2024, 1, 10))

    def test_extra_dates_come_in_order_and_once(self):
        more = self.plain.adding(date(2024, 1, 20), date(2024, 2, 10))
        self.assertEqual(more.take(3), days("2024-01-10", "2024-01-20", "2024-02-10"))
        self.assertEqual(more.previous(date(2024, 2, 10)), date(2024, 1, 20))

    def test_skip_wins_over_extra(self):
        day = date(2024, 1, 20)
        self.assertNotIn(day, self.plain.adding(day).skipping(day))

    def test_in_words(self):
        odd = self.plain.skipping(date(2024, 2, 10)).adding(date(2024, 2, 12))
        self.assertEqual(
            odd.describe(), "monthly on day 10, except 2024-02-10, also 2024-02-12"
        )
