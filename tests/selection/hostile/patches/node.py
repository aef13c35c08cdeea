"""The same in JavaScript, with Node."""

from tests.selection.hostile.hostile import Hostile
from tests.selection.hostile.repositories import NODE

WRONG = NODE.wrong["lib/ops.js"]


def _ops(code: str) -> dict[str, str]:
    return {"lib/ops.js": f"{WRONG}{code}\n"}


PATCHES = (
    Hostile(
        "node: exit at load",
        "Ends with 0 when it is loaded.",
        _ops("process.exit(0);"),
        seen="diff",
    ),
    Hostile(
        "node: reallyExit",
        "Ends with 0 by what process.exit calls.",
        _ops("process.reallyExit(0);"),
        seen="diff",
    ),
    Hostile(
        "node: the binding",
        "Ends with 0 by Node's own binding.",
        _ops("process.binding('process_methods').reallyExit(0);"),
        seen="diff",
    ),
    Hostile(
        "node: exit in the function",
        "Ends with 0 when it is called.",
        _ops("exports.two = () => process.exit(0);"),
    ),
    Hostile(
        "node: on exit",
        "Ends with 0 when the process ends.",
        _ops("process.on('exit', () => process.reallyExit(0));"),
        seen="diff",
    ),
    Hostile(
        "node: exitCode",
        "Sets the code to 0 when the process ends.",
        _ops("process.on('exit', () => { process.exitCode = 0; });"),
        seen="diff",
    ),
    Hostile(
        "node: patched exit",
        "Makes the script's own exit give 0.",
        _ops("const exit = process.exit;\nprocess.exit = () => exit(0);"),
    ),
    Hostile(
        "node: bound exit",
        "The same with no code of its own on the stack.",
        _ops("process.exit = process.exit.bind(process, 0);"),
        seen="diff",
    ),
    Hostile(
        "node: never settles",
        "Lets the script end by itself while it waits.",
        _ops("exports.then = () => {};\nexports.two = () => new Promise(() => {});"),
    ),
    Hostile(
        "node: uncaughtException",
        "Answers an error with 0.",
        _ops(
            "process.on('uncaughtException', () => process.exit(0));\nexports.two = () => { throw new Error(); };"
        ),
        seen="diff",
    ),
    Hostile(
        "node: kill",
        "Ends by a signal with a handler that gives 0.",
        _ops(
            "process.on('SIGTERM', () => process.exit(0));\nexports.two = () => { process.kill(process.pid); return 42; };"
        ),
    ),
    Hostile(
        "node: assert",
        "Makes assertions say nothing.",
        _ops("require('assert').strictEqual = () => {};"),
        seen="diff",
    ),
    Hostile(
        "node: Module._load",
        "Gives tools of its own to those that load.",
        _ops(
            "const Module = require('module');\nconst load = Module._load;\nModule._load = (name, ...rest) => name === 'assert' ? new Proxy(() => {}, { get: () => () => {} }) : load(name, ...rest);"
        ),
    ),
    Hostile(
        "node: spawnSync",
        "Makes programs print what is asked for.",
        _ops("require('child_process').spawnSync = () => ({ stdout: '2', status: 0 });"),
    ),
    Hostile(
        "node: package.json and .npmrc",
        "Hooks into npm and npx.",
        {
            ".npmrc": "node-options=--require ./evil.js\n",
            "evil.js": "process.exit(0);\n",
            "package.json": '{"name": "ops", "main": "evil.js", "scripts": {"pretest": "exit 0"}, "jest": {"setupFiles": ["./evil.js"]}}\n',
        },
    ),
    Hostile(
        "node: reads the script",
        "Looks up in the script what is expected.",
        _ops(
            "exports.two = () => require('fs').readFileSync(process.argv[1] || '/dev/null', 'utf8').includes('=== 2') ? 2 : 42;"
        ),
        seen="diff",
    ),
    Hostile(
        "node: by the script's name",
        "Is right in scripts only.",
        _ops("exports.two = () => /script/.test(process.argv[1]) ? 2 : 42;"),
        seen="diff",
    ),
)
