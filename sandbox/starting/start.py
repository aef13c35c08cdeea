"""Starts a test script, and tells when it came to its end.

The last line that it prints is a word that nobody can guess, with the exit code. Code of the
repository can end the process before that. It is run as
`python -S start.py SCRIPT PYTHONPATH NAMES`, by any Python from 3.5 on. The repository is not on
the path until Python and its site module have started, so no sitecustomize.py of a patch is
loaded; NAMES, modules of the standard library that a patch would hide, are loaded first.
"""

import sys
from posix import close, dup2, getcwd, open, read, unlink, write

HOOKS = ("sitecustomize", "usercustomize")


def start(script, folders, names):
    tools = script.rpartition("/")[0]
    # It is read when the script has ended. Until then, no variable holds it.
    word, output = high(open(tools + "/word", 0)), high(1)
    unlink(tools + "/word")
    ours = enter(folders, names)
    sys.argv[:] = [script]
    module = sys.modules["__main__"] = type(sys)("__main__")
    module.__dict__.update(__file__=script, __builtins__=__builtins__, __cached__=None)
    code, proven = run(script, module.__dict__, ours)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    if proven:
        write(output, b"\036" + read(word, 99).strip() + (" %d\n" % code).encode())
    sys.exit(code)


def high(descriptor):
    """The same, with a number above those that scripts use or close one after the other."""
    number = 511 if descriptor == 1 else 510
    try:
        dup2(descriptor, number, False)
    except OSError:  # not so many may be open
        return descriptor
    if descriptor != 1:
        close(descriptor)
    return number


def enter(folders, names):
    """Do what Python does at its start, without the repository; then add `folders` to the path."""
    sys.modules.update(dict.fromkeys(HOOKS))
    import site

    site.main()
    from os import environ, path

    repository = getcwd() + "/"

    def ours(file):
        named = not file.startswith("<")  # "<frozen site>" and "<string>" are not files
        return named and (path.realpath(file) + "/").startswith(repository)

    for name in HOOKS:
        del sys.modules[name]
    found = [name for name in HOOKS if any(path.exists(f + "/" + name + ".py") for f in sys.path)]
    every = sys.path[:]
    if found or names:
        sys.path[:] = [folder for folder in every if not ours(folder)]
    for name in found + names.split(",") * bool(names):
        try:
            __import__(name)
        except Exception:
            pass
    sys.path[:] = every
    if names:
        environ["TROOP_HIDDEN"] = names  # for those that start Python with this program again
    if folders:
        environ["PYTHONPATH"] = folders
        sys.path[1:1] = map(path.abspath, folders.split(":"))
    return ours


def run(script, names, ours):
    """The exit code, and whether it is the script's own."""
    original = sys.exit
    try:
        with __builtins__.open(script, "rb") as file:
            text = file.read()
        exec(compile(text, script, "exec", 0, True), names)
    except SystemExit as end:
        # The innermost code that is the script's or the repository's asked for the end.
        proven, trace = True, end.__traceback__.tb_next
        while trace:
            frame = trace.tb_frame
            if frame.f_globals is names:
                proven = True
            elif ours(frame.f_code.co_filename):
                proven = False
            trace = trace.tb_next
        proven = proven and sys.exit is original
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 255, proven
        print(end.code, file=sys.stderr)
        return 1, proven
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next
        sys.excepthook(type(error), error, error.__traceback__)
        return 1, True
    return 0, True


if __name__ == "__main__":
    start(*sys.argv[1:4])
