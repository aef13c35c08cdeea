"""Stepping, seeking and walking, without exceptions on top."""

import unittest
from datetime import date
from itertools import islice

from cadence import daily, dates, monthly, monthly_on, weekly, yearly
from cadence.rules import Frequency
from cadence.walk import backward, forward, units_between

from . import days


def first(number, stream):
    return list(islice(stream, number))


class DateArithmetic(unittest.TestCase):
    def test_months_are_added_across_years(self):
        self.assertEqual(dates.add_months(date(2023, 11, 15), 3), date(2024, 2, 15))
        self.assertEqual(dates.add_months(date(2024, 1, 15), -13), date(2022, 12, 15))

    def test_a_short_month_gives_its_last_day(self):
        self.assertEqual(dates.add_months(date(2023, 1, 31), 1), date(2023, 2, 28))
        self.assertEqual(dates.add_years(date(2024, 2, 29), 1), date(2025, 2, 28))

    def test_the_calendar_ends(self):
        with self.assertRaises(OverflowError):
            dates.add_months(date(9999, 12, 1), 1)

    def test_nth_weekday(self):
        self.assertEqual(dates.nth_weekday(2024, 2, 3, 1), date(2024, 2, 1))
        self.assertEqual(dates.nth_weekday(2024, 2, 3, -1), date(2024, 2, 29))

    def test_units_are_those_of_the_calendar(self):
        for frequency, expected in zip(Frequency, (1, 0, 1, 0)):
            found = units_between(date(2024, 1, 31), date(2024, 2, 1), frequency)
            self.assertEqual(found, expected, frequency)


class Forward(unittest.TestCase):
    def test_every_third_day(self):
        found = first(3, forward(daily(date(2024, 2, 27), interval=3)))
        self.assertEqual(found, days("2024-02-27", "2024-03-01", "2024-03-04"))

    def test_fortnights_count_from_the_week_of_the_start(self):
        found = first(3, forward(weekly(date(2024, 1, 3), "Mon", "Thu", interval=2)))
        self.assertEqual(found, days("2024-01-04", "2024-01-15", "2024-01-18"))

    def test_monthly(self):
        found = first(3, forward(monthly(date(2023, 11, 15), interval=2)))
        self.assertEqual(found, days("2023-11-15", "2024-01-15", "2024-03-15"))

    def test_monthly_on_a_day_that_february_lacks(self):
        found = first(2, forward(monthly(date(2023, 1, 31))))
        self.assertEqual(found, days("2023-01-31", "2023-02-28"))

    def test_monthly_on_the_last_friday(self):
        found = first(2, forward(monthly_on(date(2024, 2, 1), -1, "Fri")))
        self.assertEqual(found, days("2024-02-23", "2024-03-29"))

    def test_yearly_on_leap_day(self):
        found = first(2, forward(yearly(date(2024, 2, 29))))
        self.assertEqual(found, days("2024-02-29", "2025-02-28"))

    def test_count_and_until(self):
        start = date(2024, 5, 10)
        self.assertEqual(len(list(forward(monthly(start, count=4)))), 4)
        found = list(forward(yearly(start, until=date(2026, 5, 10))))
        self.assertEqual(found, days("2024-05-10", "2025-05-10", "2026-05-10"))

    def test_joined_midway(self):
        rule = monthly(date(2020, 3, 12), interval=5)
        found = first(2, forward(rule, date(2024, 1, 1)))
        self.assertEqual(found, days("2024-05-12", "2024-10-12"))

    def test_a_count_is_spent_before_the_window_too(self):
        rule = weekly(date(2024, 1, 1), "Mon", "Thu", count=3)
        found = list(forward(rule, date(2024, 1, 4)))
        self.assertEqual(found, days("2024-01-04", "2024-01-08"))

    def test_stops_where_the_calendar_does(self):
        found = list(forward(monthly(date(9999, 10, 5))))
        self.assertEqual(found, days("9999-10-05", "9999-11-05", "9999-12-05"))


class Backward(unittest.TestCase):
    def test_goes_down_to_the_start(self):
        found = list(backward(monthly(date(2023, 12, 20)), date(2024, 3, 1)))
        self.assertEqual(found, days("2024-02-20", "2024-01-20", "2023-12-20"))

    def test_weekdays_are_reversed_too(self):
        rule = weekly(date(2024, 1, 3), "Mon", "Thu")
        found = list(backward(rule, date(2024, 1, 11)))
        self.assertEqual(found, days("2024-01-11", "2024-01-08", "2024-01-04"))

    def test_nothing_before_the_start(self):
        self.assertEqual(list(backward(daily(date(2024, 1, 2)), date(2024, 1, 1))), [])

    def test_limits_hold(self):
        counted = yearly(date(2020, 6, 1), count=2)
        until = yearly(date(2020, 6, 1), until=date(2021, 12, 31))
        for rule in (counted, until):
            found = list(backward(rule, date(2030, 1, 1)))
            self.assertEqual(found, days("2021-06-01", "2020-06-01"))
