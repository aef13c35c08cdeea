"""A conversation: one trajectory's messages, its turns and its executions."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from agent.journal import TrajectoryId, TurnPrompt
from agent.model import ContextExceeded, Message, ModelRequest, RequestRejected
from agent.slots import together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.model import Reply, Usage
    from agent.outcome import Outcome
    from agent.workbench import Workbench
    from data.patches.patch import Patch
    from sandbox.protocol import Execution, Script

    _Posed = tuple["Conversation", TurnPrompt]

NO_TEXT = "(empty reply)"
"""Sent in place of an empty assistant message, which some servers refuse."""


class Conversation:
    """One trajectory: `ask` takes a turn, `run` executes a script.

    Messages are hashed as they are added, so a turn's work does not grow with
    the conversation beyond sending it.
    """

    def __init__(
        self,
        bench: Workbench,
        trajectory: TrajectoryId,
        *,
        model: str,
        temperature: float | None,
        max_tokens: int,
        system: str,
        prefix: str = "",
    ) -> None:
        self.id = trajectory
        self.turn = 0
        self.bench = bench
        self.first_usage: Usage | None = None
        """The usage of the call that gave the first reply; None: not known."""
        self._model = model
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._prefix = prefix
        self._messages: list[Message] = []
        self._sha = hashlib.sha256(repr((model, temperature, max_tokens)).encode())
        self._add(Message("system", system))

    @property
    def key(self) -> str:
        """The trajectory's key."""
        return self.id.key

    async def ask(self, prompt: str) -> Reply:
        """One turn.

        Raises:
            ModelError: the server cannot be used.
            ContextExceeded, RequestRejected: an outcome of this trajectory.
            Interrupted: a person asked to stop.
        """
        turn = self.pose(prompt)
        reply = self.bench.recall(turn)
        if reply is None:
            reply = (await self.bench.call(self.request(), [turn]))[0]
        self.take(reply)
        return reply

    async def run(self, script: Script, patch: Patch, purpose: str) -> Execution:
        """Execute `script` with `patch`; `purpose` is stored, for example "before" or "after".

        Raises:
            SandboxError: the engine failed.
            Interrupted: a person asked to stop.
        """
        return await self.bench.execute(
            script, patch, trajectory=self.id, turn=self.turn, purpose=purpose
        )

    async def end(self, outcome: Outcome, error: str = "") -> None:
        """Store how the trajectory ended; `error`: the trace of what ended it."""
        await self.bench.journal.record_ending(self.id, outcome, error)
        self.bench.observer.trajectory_ended(self.id, outcome)

    def pose(self, prompt: str) -> TurnPrompt:
        """Add a user message; the turn is complete once `take` is given its reply."""
        first = self.turn == 0
        self.bench.observer.turn(self.id, self.turn + 1)
        text = self._prefix + prompt if first else prompt
        self._add(Message("user", text))
        return TurnPrompt(
            trajectory=self.id,
            turn=self.turn,
            digest=self._sha.hexdigest(),
            prompt=prompt,
            system=self._messages[0].content if first else "",
            prefix=self._prefix if first else "",
        )

    def request(self, siblings: Sequence[Conversation] = ()) -> ModelRequest:
        """The call for the posed turn, shared with `siblings` that posed the same prompt."""
        return ModelRequest(
            trajectory=self.key,
            turn=self.turn,
            model=self._model,
            messages=tuple(self._messages),
            temperature=self._temperature,
            max_tokens=self._max_tokens,
            siblings=tuple(sibling.key for sibling in siblings),
        )

    def take(self, reply: Reply) -> None:
        """Add the reply to the posed turn."""
        text = reply.choice.text
        self._add(Message("assistant", text if text.strip() else NO_TEXT))
        if not self.turn:
            self.first_usage = reply.usage
        self.turn += 1

    def _add(self, message: Message) -> None:
        self._messages.append(message)
        text = message.content.encode("utf-8", "surrogatepass")
        self._sha.update(b"%s %d\0" % (message.role.encode(), len(text)))
        self._sha.update(text)


class SharedFirstTurn:
    """The first turn of several trajectories that open the same way, as one request with n replies.

    Sharing the request computes the long common prompt once, and warms the
    server's prefix cache for everything that follows. Where the server gives
    fewer replies than asked for, the missing ones are asked for one by one.
    """

    def __init__(self, conversations: Sequence[Conversation], prompt: str, per_call: int) -> None:
        self._conversations = list(conversations)
        self._prompt = prompt
        self._per_call = per_call or len(self._conversations)
        loop = asyncio.get_running_loop()
        self._replies: dict[str, asyncio.Future[Reply]] = {
            conversation.key: loop.create_future() for conversation in self._conversations
        }

    async def ask_all(self) -> None:
        """Take the turn for every conversation. `reply` gives each its own reply when it comes.

        Raises:
            ModelError: the server cannot be used.
            Interrupted: a person asked to stop.
        """
        try:
            await together(*(self._ask(chunk) for chunk in self._unanswered()))
        except BaseException as error:
            self._fail(self._conversations, error)
            raise

    async def reply(self, conversation: Conversation) -> Reply:
        """The reply that `ask_all` got for this conversation.

        Raises:
            ContextExceeded, RequestRejected: an outcome of this trajectory.
            ModelError, Interrupted: as `ask_all`.
        """
        return await asyncio.shield(self._replies[conversation.key])

    def _unanswered(self) -> Iterator[list[_Posed]]:
        """Pose the prompt everywhere. Yield the turns that the journal cannot answer, in chunks."""
        waiting: list[_Posed] = []
        for conversation in self._conversations:
            turn = conversation.pose(self._prompt)
            recorded = conversation.bench.recall(turn)
            if recorded is None:
                waiting.append((conversation, turn))
            else:
                self._give(conversation, recorded)
        for start in range(0, len(waiting), self._per_call):
            yield waiting[start : start + self._per_call]

    async def _ask(self, posed: list[_Posed]) -> None:
        """Send one request for all of `posed`, then one for each turn that got no reply."""
        (leader, _), *rest = posed
        request = leader.request([conversation for conversation, _ in rest])
        try:
            replies = await leader.bench.call(request, [turn for _, turn in posed])
        except RequestRejected as error:
            replies = []
            if not rest:
                self._fail([leader], error)
                return
        except ContextExceeded as error:
            self._fail([conversation for conversation, _ in posed], error)
            return
        for (conversation, _), reply in zip(posed, replies, strict=False):
            self._give(conversation, reply)
        await together(*(self._ask([one]) for one in posed[len(replies) :]))

    def _give(self, conversation: Conversation, reply: Reply) -> None:
        conversation.take(reply)
        self._replies[conversation.key].set_result(reply)

    def _fail(self, conversations: Sequence[Conversation], error: BaseException) -> None:
        for conversation in conversations:
            reply = self._replies[conversation.key]
            if not reply.done():
                reply.set_exception(error)
                reply.exception()  # marked as seen, because nobody may be waiting for it
