"""Warnings of the rooms below reach the person who watches."""

import logging

from runs.run.warnings import warnings_to


def test_each_warning_is_shown_once_and_only_inside():
    told = []
    log = logging.getLogger("sandbox.docker.provider")
    with warnings_to(told.append):
        for _ in range(3):
            log.warning("slower because of %s", "x")
        log.info("not for people")
        logging.getLogger("somebody.else").warning("not ours")
    with warnings_to([].append):
        log.warning("after")
    assert told == ["slower because of x"]
