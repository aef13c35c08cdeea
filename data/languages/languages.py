"""The languages of repositories: each row says how scripts test one, and what its files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from data.languages.scripts import NODE, PHP, PYTHON, RUBY, SHELL, ScriptLanguage

_BUILD = (
    " Build the check first, apart from running it, and exit with 1 where the repository itself"
    " does not build; where the issue asks for something new, a check that does not build for the"
    " lack of it is 2. Programs fail with codes of their own, some with 2: look at each one's code,"
    " and say the script's own with `exit` and a number."
)
_OWN_TOOLS = (
    "Let the script write what it needs into a temporary folder, or into the repository, and build"
    f" and run it with what the repository itself is built with. There is no network.{_BUILD}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language that repositories are written in."""

    name: str
    """The name in `Environment.language`."""
    title: str
    """For people and models."""
    script: ScriptLanguage = SHELL
    suffixes: tuple[str, ...] = ()
    """The suffixes of its source files, lowercase, the usual one first."""
    test_names: str = ""
    """Regular expression of names, without suffix, that only test files have."""
    test_folders: str = "tests?|testdata"
    """Regular expression of the folders, lowercase, that hold tests."""
    test_runs: str = ""
    """Regular expression of the paths that the language's test runners accept."""
    vendored: str = ""
    """Regular expression of the folders, lowercase, with others' code or built files."""
    needs: tuple[str, ...] = ()
    """Programs of which a script needs at least one to build anything."""
    image: str = "buildpack-deps:bookworm"
    """The Docker image for a person's own repository if none is named."""
    how: str = _OWN_TOOLS
    """How a script reaches the repository's code, in words for the model."""
    spellings: tuple[str, ...] = ()

    @property
    def example_suffix(self) -> str:
        """The suffix of a source file, for examples."""
        return self.suffixes[0] if self.suffixes else ""


_OUTSIDE = "The script lies outside the repository."
_JAVASCRIPT_RUNS = r"\.(test|spec)\.[cm]?[jt]sx?$|(^|/)__tests__/[^/]+\.[cm]?[jt]sx?$"
_JVM = "Test[A-Z].*|.*(?:Test|Tests|TestCase|Spec)|.*[a-z]IT"
_JVM_TOOLS = ("java", "javac", "mvn", "gradle")
_JVM_FOLDERS = "tests?|androidtest|integrationtest|testfixtures"
_C = "test_.*|.*[-_]tests?|.*_unittests?|tst_.*"
_OTHERS = "third_party|thirdparty|3rdparty"

LANGUAGES = (
    Language(
        name="python",
        title="Python",
        script=PYTHON,
        suffixes=(".py", ".pyi", ".pyx", ".pxd"),
        test_names="test_.*|.*_test|conftest",
        test_folders="tests?|testing|__tests__|specs?|testdata",
        test_runs=r"(^|/)(test_[^/]*|[^/]*_test|tests)\.py$",
        image="python:3.12",
        how="",
    ),
    Language(
        name="javascript",
        title="JavaScript",
        script=NODE,
        suffixes=(".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte"),
        test_names=r"test_.*|.*[-_]test|.*\.(?:test|spec|cy|e2e)",
        test_folders="tests?|__tests__|__mocks__|__snapshots__|specs?|testdata|e2e|cypress",
        test_runs=_JAVASCRIPT_RUNS,
        vendored=f"{_OTHERS}|vendor|dist",
        image="node:22",
        how=f"{_OUTSIDE} It is a CommonJS module: load code by its path, as in"
        " `require(process.cwd() + '/lib/x.js')`, or, where it is an ES module,"
        " `await import(process.cwd() + '/src/x.js')` in an async function, and packages with"
        " `require('module').createRequire(process.cwd() + '/')('name')`. A promise that never"
        " settles lets Node end with 0: end every path with `process.exit` and a number.",
        spellings=("js",),
    ),
    Language(
        name="typescript",
        title="TypeScript",
        suffixes=(".ts", ".tsx", ".mts", ".cts"),
        test_names=r"test_.*|.*[-_]test|.*\.(?:test|spec|cy|e2e)",
        test_folders="tests?|__tests__|__mocks__|__snapshots__|specs?|testdata|e2e|cypress",
        test_runs=_JAVASCRIPT_RUNS,
        vendored=f"{_OTHERS}|vendor|dist",
        needs=("node", "deno", "bun"),
        image="node:22",
        how="Let the script write the check into a new file in the repository, so that imports and"
        " tsconfig.json hold for it, and run it with what the repository has in"
        " `node_modules/.bin` (tsx, ts-node, esbuild, vitest, jest; or tsc and then node); with"
        " `npx`, give `--no-install`. Node before version 22.18 runs no TypeScript by itself. Test"
        " runners end every failure with 1: let the check print its verdict, read it from the"
        " output, and say the script's own code with `exit` and a number.",
        spellings=("ts",),
    ),
    Language(
        name="go",
        title="Go",
        suffixes=(".go",),
        test_names=".*_test",
        test_runs=r"_test\.go$",
        vendored=f"{_OTHERS}|vendor",
        needs=("go",),
        image="golang:1.24",
        how="Only a program inside the module can import its `internal` packages, and only a test"
        " in a package's own folder what the package does not export. So let the script write a"
        " new folder with a `package main`, or a new `_test.go` file, into the repository, and"
        ' build it there: `go build -buildvcs=false -o "$tmp/check" ./FOLDER`, or'
        ' `go test -c -o "$tmp/check" ./PACKAGE`. There is no network: import nothing but the'
        " standard library and what go.mod already requires. `go run` and a failing test end with"
        f" 1 whatever the program's code, a panic with 2.{_BUILD}",
        spellings=("golang",),
    ),
    Language(
        name="java",
        title="Java",
        suffixes=(".java",),
        test_names=_JVM,
        test_folders=_JVM_FOLDERS,
        test_runs=r"(^|/)(Test[^/]*|[^/]*Tests?)\.java$",
        needs=_JVM_TOOLS,
        image="maven:3-eclipse-temurin-21",
        how="Compile what is needed of the repository with its own build, offline"
        " (`mvn -o -q compile`, `gradle --offline classes`), or with `javac -d` into a temporary"
        " folder; let the script write a class with `main` beside it, compile that against those"
        " classes, and run it with `java -cp`. A class that needs access to what a package keeps"
        " to itself must name that package. There is no network. An uncaught exception ends Java"
        f" with 1.{_BUILD}",
    ),
    Language(
        name="rust",
        title="Rust",
        suffixes=(".rs",),
        test_names="tests?|test_.*|.*_tests?",
        test_runs=r"(^|/)tests/[^/]+\.rs$",
        vendored=f"{_OTHERS}|vendor|target",
        needs=("cargo", "rustc"),
        image="rust:1",
        how="Let the script write a new file into the package's `examples` folder and build it with"
        " `cargo build --offline --example NAME`, then run `target/debug/examples/NAME`; or, for"
        " what is not public, append a `#[test]` to its module and run it with `cargo test"
        " --offline --lib NAME`, which ends with 101 for every failure. There is no network: use no"
        f" crate that Cargo.lock does not have. A panic ends a program with 101.{_BUILD}",
        spellings=("rs",),
    ),
    Language(
        name="c",
        title="C",
        suffixes=(".c", ".h"),
        test_names=_C,
        test_folders="tests?|testing|testdata|unittests?",
        vendored=f"{_OTHERS}|vendor",
        needs=("cc", "gcc", "clang"),
        image="gcc:14",
        how="Let the script write a program into a temporary folder and build it against the"
        " repository: what its own build makes (`make`, `cmake`), or the few sources that are"
        " needed, compiled with `cc -I`. `make` ends with 2 when anything fails; a crash shows as"
        f" 128 and the signal's number (139 is a segmentation fault).{_BUILD}",
    ),
    Language(
        name="cpp",
        title="C++",
        suffixes=(".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".cu"),
        test_names=_C,
        test_folders="tests?|testing|testdata|unittests?",
        vendored=f"{_OTHERS}|vendor",
        needs=("c++", "g++", "clang++"),
        image="gcc:14",
        how="Let the script write a program into a temporary folder and build it against the"
        " repository: what its own build makes (`make`, `cmake`), or the few sources that are"
        " needed, compiled with `c++ -I`. `make` ends with 2 when anything fails; an uncaught"
        f" exception shows as 134, a segmentation fault as 139.{_BUILD}",
        spellings=("c++", "cxx", "cc"),
    ),
    Language(
        name="ruby",
        title="Ruby",
        script=RUBY,
        suffixes=(".rb", ".rake"),
        test_names=".*_(?:test|spec)|test_.*|(?:test|spec)_helper",
        test_folders="tests?|specs?|testdata",
        test_runs=r"_spec\.rb$",
        vendored="vendor",
        image="ruby:3.4",
        how=f"{_OUTSIDE} Put the repository's folder on the load path,"
        ' `$LOAD_PATH.unshift(File.join(Dir.pwd, "lib"))`, and `require` as usual;'
        " `require_relative` does not reach it. Where the code needs gems of a Gemfile,"
        ' `require "bundler/setup"` comes first. A script that comes to its end gives 0: end every'
        " path with `exit` and a number.",
        spellings=("rb",),
    ),
    Language(
        name="php",
        title="PHP",
        script=PHP,
        suffixes=(".php",),
        test_names=".*(?:Test|Tests|TestCase|Cest)",
        test_folders="tests?|specs?|testdata",
        test_runs=r"Test\.php$",
        vendored="vendor",
        image="php:8.4-cli",
        how=f"{_OUTSIDE} It begins with `<?php`; load the repository's code with"
        " `require getcwd() . '/vendor/autoload.php';` where there is such a file, else the files"
        " that are needed by their path. `exit` with a text ends with 0, and a script that comes to"
        " its end does, too: end every path with `exit` and a number. Warnings and a failed"
        " `assert` may end nothing.",
    ),
    Language(name="shell", title="Bash", suffixes=(".sh", ".bash"), spellings=("bash", "sh")),
    Language(
        name="csharp",
        title="C#",
        suffixes=(".cs",),
        test_names=".*Tests?",
        test_folders=r"(?:.*\.)?(?:unit|integration)?tests?",
        needs=("dotnet", "mono"),
        spellings=("c#",),
    ),
    Language(
        name="kotlin",
        title="Kotlin",
        suffixes=(".kt", ".kts"),
        test_names=_JVM,
        test_folders=_JVM_FOLDERS,
        needs=_JVM_TOOLS,
    ),
    Language(
        name="scala",
        title="Scala",
        suffixes=(".scala",),
        test_names=_JVM,
        test_folders=_JVM_FOLDERS,
        needs=(*_JVM_TOOLS, "sbt"),
    ),
    Language(
        name="swift",
        title="Swift",
        suffixes=(".swift",),
        test_names=".*Tests?",
        test_folders=".*tests?",
        needs=("swift",),
    ),
    Language(name="elixir", title="Elixir", suffixes=(".ex", ".exs"), test_names=".*_test"),
    Language(name="erlang", title="Erlang", suffixes=(".erl",), test_names=".*_(?:SUITE|tests)"),
    Language(name="haskell", title="Haskell", suffixes=(".hs",), test_names=".*Spec"),
    Language(name="julia", title="Julia", suffixes=(".jl",), test_names="runtests"),
    Language(name="lua", title="Lua", suffixes=(".lua",), test_names=".*_(?:spec|test)"),
    Language(name="ocaml", title="OCaml", suffixes=(".ml",), test_names="test_.*"),
    Language(name="perl", title="Perl", suffixes=(".pl", ".pm")),
    Language(name="r", title="R", suffixes=(".r",), test_names="test[-_].*"),
)

_SPELLINGS = {"py": "python", "js": "javascript", "ts": "typescript", "rb": "ruby"}
_BY_SUFFIX = {suffix: each for each in LANGUAGES for suffix in each.suffixes}
_ROWS = {name: each for each in LANGUAGES for name in (each.name, *each.spellings)}


def known_language(text: str) -> str:
    """A language's name as instances have it: "JS" becomes "javascript"."""
    name = text.strip().lower()
    return _SPELLINGS.get(name, name)


def find_language(name: str) -> Language:
    """The row of a language, by any spelling of its name; a general row if it has none."""
    known = known_language(name)
    return _ROWS.get(known) or Language(name=known, title=name.strip() or "unknown")


def language_of(path: str) -> Language | None:
    """The language of a source file, by its suffix; None: the suffix is not known."""
    return _BY_SUFFIX.get(PurePosixPath(path).suffix.lower())
