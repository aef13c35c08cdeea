"""Troop repairs software by scaled sampling.

    repair = troop.solve("mean([]) raises", "path/to/repository", model="gpt-4.1")
    print(repair.patch)

docs/api.md has more. Names are imported when they are first used, so that `import troop` is
quick. In the installed distribution this file is `troop/__init__.py` (hatch_build.py).
"""

TYPE_CHECKING = False  # type checkers know this name; importing `typing` would take time

if TYPE_CHECKING:
    from runs.public.names import *  # noqa: F403 - all of them
else:

    def __getattr__(name):
        if name != "__path__":
            from runs.public import names

            if name == "__all__" or name in names.__all__:
                return getattr(names, name)
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)

    def __dir__():
        from runs.public import names

        return [*globals(), *names.__all__]
