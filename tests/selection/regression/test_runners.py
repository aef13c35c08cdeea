"""How test files are run, told from small repositories."""

import json

import pytest

from data.languages.test_files import is_test_file
from selection.regression.runners import Runner, runner_of
from tests.selection.regression.codebases import codebase

JEST = json.dumps({"devDependencies": {"jest": "^29"}})
TWO = json.dumps({"devDependencies": {"jest": "^29"}, "dependencies": {"mocha": "^10"}})
POM, GO, CARGO = {"pom.xml": "<project/>"}, {"go.mod": "module m\n"}, {"Cargo.toml": "[package]\n"}


@pytest.mark.parametrize(
    ("files", "path", "runner"),
    [
        ({}, "tests/test_a.py", Runner("python")),
        ({}, "pkg/a_test.py", Runner("python")),
        (
            {"tests/runtests.py": "", "tests/test_sqlite.py": ""},
            "tests/forms/tests.py",
            Runner("django"),
        ),
        ({"tests/runtests.py": ""}, "tests/forms/tests.py", Runner("python")),
        (
            {"tests/runtests.py": "", "tests/test_sqlite.py": ""},
            "elsewhere/test_a.py",
            Runner("python"),
        ),
        ({"sympy/testing/runtests.py": ""}, "sympy/core/tests/test_a.py", Runner("sympy")),
        ({"sympy/utilities/runtests.py": ""}, "sympy/core/tests/test_a.py", Runner("sympy")),
        ({"sympy/core/add.py": ""}, "sympy/core/tests/test_a.py", Runner("python")),
        (GO, "pkg/in/a_test.go", Runner(command="go test ./pkg/in")),
        (GO, "a_test.go", Runner(command="go test ./.")),
        ({"mod/go.mod": ""}, "mod/in/a_test.go", Runner(command="cd mod && go test ./in")),
        ({}, "a_test.go", None),
        (CARGO, "tests/a.rs", Runner(command="cargo test --offline --test a")),
        (
            {"c/Cargo.toml": ""},
            "c/tests/a.rs",
            Runner(command="cd c && cargo test --offline --test a"),
        ),
        ({}, "tests/a.rs", None),
        (
            {"package.json": JEST},
            "a.test.ts",
            Runner(command="npx --no-install jest --ci a.test.ts"),
        ),
        (
            {"package.json": "{}", "ui/package.json": JEST},
            "ui/src/__tests__/b c.js",
            Runner(command="cd ui && npx --no-install jest --ci 'src/__tests__/b c.js'"),
        ),
        ({"package.json": TWO}, "a.test.ts", None),  # either could be meant
        ({"package.json": "{}"}, "a.test.ts", None),
        ({"package.json": "[1]"}, "a.test.ts", None),
        ({"package.json": "{"}, "a.test.ts", None),
        ({}, "spec/a_spec.rb", Runner(command="rspec spec/a_spec.rb")),
        (
            {"Gemfile": ""},
            "spec/a_spec.rb",
            Runner(command="bundle exec rspec spec/a_spec.rb"),
        ),
        (
            {"phpunit.xml.dist": ""},
            "tests/ATest.php",
            Runner(command="vendor/bin/phpunit tests/ATest.php"),
        ),
        ({}, "tests/ATest.php", None),
        (
            {"core/pom.xml": "", **POM},
            "core/src/test/java/ATest.java",
            Runner(command="cd core && mvn --offline --quiet --batch-mode -Dtest=ATest test"),
        ),
        ({}, "src/test/java/ATest.java", None),
    ],
)
def test_how_a_test_file_is_run(files, path, runner):
    assert is_test_file(path)
    assert runner_of(codebase({**files, path: ""}), path) == runner


@pytest.mark.parametrize(
    "path",
    [
        *("calc/ops.py", "tests/conftest.py", "tests/data.txt", "contest.py", "calc/latest.py"),
        *("src/main.rs", "src/tests.md", "lib/spec.rb", "a.ts", "Testing.java.txt", "Tester.php"),
    ],
)
def test_what_is_no_test_file(path):
    assert not is_test_file(path)


def test_a_persons_own_command_goes_first():
    given = codebase({"tests/runtests.py": "", "tests/test_sqlite.py": "", "tests/a b.py": ""})
    runner = runner_of(given, "tests/a b.py", "make check F={files}")
    assert runner == Runner(command="make check F='tests/a b.py'")
