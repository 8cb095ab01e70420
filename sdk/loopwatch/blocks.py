"""The context-manager form of agent, tool, model call and step: the same operation around a block."""

from abc import ABC, abstractmethod
from contextvars import ContextVar
from types import TracebackType
from typing import Any, ClassVar, Final, Generic, TypeVar

from loopwatch import process
from loopwatch.errors import Stopped
from loopwatch.faults import swallow
from loopwatch.operations import Operation
from loopwatch.process import Process
from loopwatch.scopes import check_limits

G = TypeVar("G")

# One stack per thread and task, not per object: the same `step("plan")` may be entered by several at once.
_open: Final[ContextVar[tuple[Operation | None, ...]]] = ContextVar("loopwatch_open_blocks", default=())


class Block(ABC, Generic[G]):
    """Something that opens an operation around a block, sync or async."""

    is_limited: ClassVar[bool] = False
    """Whether the run's caps are looked at before it opens."""

    @abstractmethod
    def open_block(self, state: Process) -> Operation | None:
        """Opens the operation."""

    @abstractmethod
    def given(self, operation: Operation | None) -> G:
        """Returns what `with ... as` binds; the operation is None when nothing is recorded."""

    def __enter__(self) -> G:
        operation = None
        if process.active is not None:
            if self.is_limited:
                check_limits()
            try:
                operation = self.open_block(process.active)
            except Stopped:
                raise
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the host
                swallow("block.begin", fault)
        _open.set((*_open.get(), operation))
        return self.given(operation)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stack = _open.get()
        operation: Any = stack[-1] if stack else None
        _open.set(stack[:-1])
        if operation is None:
            return
        if error is None:
            operation.succeed(operation.result)
        else:
            operation.fail(error)

    async def __aenter__(self) -> G:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
