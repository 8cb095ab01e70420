"""Acknowledgements and silences, asked for many alerts at once."""

from collections.abc import Iterable
from typing import NamedTuple

from loopwatch_collector.alerts.conditions import Group
from loopwatch_collector.alerts.records import Remark

ACKNOWLEDGEMENT = "acknowledgement"
SILENCE = "silence"


class Remarks(NamedTuple):
    """The remarks in force.

    Attributes:
        acknowledgements: by project and alert id.
        silences: by project.
    """

    acknowledgements: dict[tuple[str, str], Remark]
    silences: dict[str, list[Remark]]

    def acknowledgement(self, project: str, alert_id: str) -> Remark | None:
        """Who knows of an alert, or None."""
        return self.acknowledgements.get((project, alert_id))

    def silence(self, project: str, rule: str, group_by: str, group: Group, now_ns: int) -> Remark | None:
        """The silence that covers an alert now, the longest; or None.

        A silence without a rule covers every rule, one without a group every group.
        """
        covering = [
            remark
            for remark in self.silences.get(project, ())
            if remark.until_ns > now_ns
            and remark.body.get("rule") in {None, rule}
            and all(key == group_by and value == group for key, value in remark.body.get("group", {}).items())
        ]
        return max(covering, key=lambda remark: remark.until_ns, default=None)


def arrange(remarks: Iterable[Remark]) -> Remarks:
    """Arranges remarks for asking."""
    arranged = Remarks({}, {})
    for remark in remarks:
        if remark.kind == ACKNOWLEDGEMENT:
            arranged.acknowledgements[remark.project, remark.remark_id] = remark
        else:
            arranged.silences.setdefault(remark.project, []).append(remark)
    return arranged
