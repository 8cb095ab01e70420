"""When records of whole requests began that do not say it: when they first came, however often they come."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from loopwatch_collector.receive.events_spans import run_id_of_request

_REMEMBERED: Final = 20_000

Lookup = Callable[[str, list[str]], dict[str, int]]
"""From a project and run ids to their starts (ns since the epoch) in the store; unknown ones are left out."""


class RequestStarts:
    """The starts given to records lately; older ones are looked up in the store.

    Args:
        lookup: asked for those that are not in memory; called from another thread.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._known: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def of(self, project: str, request_ids: list[str], now_ns: int) -> dict[str, int]:
        """The starts of records without a time.

        Args:
            project: whose they are.
            request_ids: as their sender calls them.
            now_ns: for those that come for the first time, ns since the epoch.

        Returns:
            ns since the epoch by request id.
        """
        run_ids = {request_id: run_id_of_request(request_id) for request_id in request_ids}
        unknown = [run_id for run_id in run_ids.values() if (project, run_id) not in self._known]
        stored = await asyncio.to_thread(self._lookup, project, unknown) if unknown else {}
        found: dict[str, int] = {}
        for request_id, run_id in run_ids.items():
            key = project, run_id
            # Another request may have brought the same record meanwhile.
            found[request_id] = self._known.setdefault(key, stored.get(run_id, now_ns))
            self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found
