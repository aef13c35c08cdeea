r"""Repair one issue: of your own git repository at its HEAD, or an instance of a dataset.

Examples:
  troop solve --repo . --issue bug.md --setup "pip install -e ." --model qwen3-coder \
      --base-url http://localhost:8000/v1
  troop solve --repo . --issue "spread([]) raises ValueError" --model gpt-4.1
  gh issue view 12 --json title,body --jq '.title + "\n\n" + .body' \
      | troop solve --repo . --issue - --model gpt-4.1
  troop solve --repo . --issue bug.md --language go --setup "go build ./..." --model gpt-4.1
  troop solve --repo . --issue bug.md --image my-app:dev --model gpt-4.1 --patch-only | git apply
  troop solve --dataset lite --instance django__django-11099 --model gpt-4.1

The patch goes into a file and into the database. The same command continues what was interrupted,
or shows what is stored.

Exit codes:
  0  a patch came out, and tests support it: at least one generated test that fails before the
     edit passes with it; or no generated test was asked for
  1  no patch came out
  6  a patch came out, but no test supports it, or tests speak against it (`troop show` says why)
The others are those of `troop --help`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import UsageError
from runs.cli.shared.flags import (
    add_dataset,
    add_output,
    add_patch_only,
    add_work,
    configuration,
    dataset_name,
    outside_candidates,
)
from runs.cli.shared.notes import tell
from runs.cli.shared.outputs import check_output
from runs.run.signals import run_to_end
from runs.store.places import database_url

if TYPE_CHECKING:
    import argparse

    from data.instances.instance import Instance


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's flags."""
    what = parser.add_argument_group("what to repair")
    add_dataset(what)
    what.add_argument("--instance", metavar="ID", help="the id of one of the dataset's instances")
    what.add_argument("--repo", type=Path, metavar="PATH", help="your own git repository")
    what.add_argument(
        "--issue",
        metavar="FILE",
        help="the issue: a text file, - for standard input, or the text itself",
    )
    what.add_argument(
        "--image",
        metavar="IMAGE",
        help="a Docker image with what the repository needs, which is copied into it (default: by"
        " language, such as python:3.12, node:22 or golang:1.24)",
    )
    what.add_argument(
        "--language",
        default="",
        metavar="L",
        help="the language of the repository and of its test scripts (default: by its files)",
    )
    what.add_argument(
        "--setup",
        default="",
        metavar="CMD",
        help="a command that installs the repository, run once with network",
    )
    what.add_argument(
        "--repo-dir",
        default="/testbed",
        metavar="DIR",
        help="the repository's folder in the image (default: /testbed)",
    )
    add_patch_only(parser)
    add_output(parser, "the patch (default: in the data folder)")
    add_work(parser)


def run(args: argparse.Namespace) -> int:
    """Carry the command out; its exit code."""
    config = configuration(args)
    check_output(args, "output")
    dataset, instance = _instance(args, local=config.batch.sandbox == "local")
    outside = outside_candidates(args.candidates)

    from runs.cli.shared.ending import show_solution
    from runs.cli.shared.terminal import progress
    from runs.run.batch import Outside
    from runs.run.session import Job, carry_out
    from runs.show.live import LiveDisplay

    job = Job(
        dataset=dataset,
        instances=[instance],
        config=config,
        database=database_url(args.db),
        name=args.name,
        fresh=args.fresh,
        replay=args.replay,
        take_over=args.take_over,
        waits=False,
        outside=Outside(outside),
    )
    finished = run_to_end(carry_out(job, LiveDisplay(progress())))
    code = show_solution(
        finished,
        job.database,
        instance.instance_id,
        output=args.output,
        patch_only=args.patch_only,
    )
    if code == 0 and args.repo is not None:
        _tell_top(args.repo.resolve(), instance.environment.source)
    return code


def _tell_top(given: Path, top: Path | None) -> None:
    """Say where to apply the patch; below the top folder, `git apply` would apply nothing."""
    here = Path.cwd()
    if top and here != top and (given != top or here.is_relative_to(top)):
        tell([f"The patch is for the top folder of the repository: git -C {top} apply"])


def _instance(args: argparse.Namespace, *, local: bool) -> tuple[str, Instance]:
    """The instance that the flags name, with the name of its dataset."""
    if (args.dataset is None) == (args.repo is None):
        raise UsageError(
            "--repo and --dataset exclude each other."
            if args.repo is not None
            else "It is not said what to repair.",
            hint="Give either --repo with --issue, or --dataset with --instance.",
        )
    if args.dataset is not None:
        if args.instance is None:
            raise UsageError(
                "No instance is named.", hint="Give --instance ID, or repair many: troop run"
            )
        if args.language:
            raise UsageError(
                "--language is for your own repository.",
                hint="A row of a dataset names its language in the column language.",
            )
        from data.instances.loaders import load_instances, pick_instances

        (instance,) = pick_instances(
            load_instances(args.dataset, split=args.split), [args.instance]
        )
        return dataset_name(args.dataset), instance
    if args.issue is None:
        raise UsageError("No issue is given.", hint="Give --issue FILE.")
    from runs.cli.shared.issue import given_issue
    from runs.run.own import own_instance

    instance, notes = own_instance(
        args.repo,
        given_issue(args.issue),
        local=local,
        image=args.image,
        setup=args.setup,
        repo_dir=args.repo_dir,
        language=args.language,
    )
    tell(notes)
    return str(args.repo.resolve()), instance
