"""All public names, each with the module that it comes from."""

from __future__ import annotations

from agent.context import Context
from agent.observer import Doing, Effect, Observer, Stage
from agent.outcome import Outcome
from agent.strategies import STRATEGIES
from agent.strategies.protocol import Sample, Strategy
from agent.workbench import Workbench
from data.errors import (
    ModelError,
    SandboxError,
    SandboxUnavailable,
    StoreError,
    TroopError,
    UsageError,
)
from data.instances.instance import Environment, Instance
from data.instances.loaders import load_instances
from data.patches.patch import Patch
from runs.public.solving import Repair, solve, solve_async
from runs.run.config import Config, load_config
from runs.run.display import Display, Quiet
from runs.run.session import version
from runs.store.conversations import StoredConversation, Turn
from runs.store.reading import Reader
from runs.store.records import (
    CallRecord,
    CandidateRecord,
    ExecutionRecord,
    GradeRecord,
    InstanceRecord,
    RegressionFileRecord,
    RunRecord,
    SampleRecord,
    SeenExecution,
    TestRecord,
    TrajectoryRecord,
    TurnRecord,
    VoteRecord,
)
from runs.store.registry import Status
from runs.store.story import Story
from sandbox.protocol import Ending, Execution, Script
from selection.candidates import Candidate, Test, TestKind
from selection.matrix import Cell, Matrix, Verdict
from selection.race import Race
from selection.selectors import SELECTORS
from selection.selectors.protocol import Needs, Ranking, Reason, Selector, SelectorContext
from selection.support import Evidence, Support

__version__ = version()

__all__ = [
    "SELECTORS",
    "STRATEGIES",
    "CallRecord",
    "Candidate",
    "CandidateRecord",
    "Cell",
    "Config",
    "Context",
    "Display",
    "Doing",
    "Effect",
    "Ending",
    "Environment",
    "Evidence",
    "Execution",
    "ExecutionRecord",
    "GradeRecord",
    "Instance",
    "InstanceRecord",
    "Matrix",
    "ModelError",
    "Needs",
    "Observer",
    "Outcome",
    "Patch",
    "Quiet",
    "Race",
    "Ranking",
    "Reader",
    "Reason",
    "RegressionFileRecord",
    "Repair",
    "RunRecord",
    "Sample",
    "SampleRecord",
    "SandboxError",
    "SandboxUnavailable",
    "Script",
    "SeenExecution",
    "Selector",
    "SelectorContext",
    "Stage",
    "Status",
    "StoreError",
    "StoredConversation",
    "Story",
    "Strategy",
    "Support",
    "Test",
    "TestKind",
    "TestRecord",
    "TrajectoryRecord",
    "TroopError",
    "Turn",
    "TurnRecord",
    "UsageError",
    "Verdict",
    "VoteRecord",
    "Workbench",
    "__version__",
    "load_config",
    "load_instances",
    "solve",
    "solve_async",
]
