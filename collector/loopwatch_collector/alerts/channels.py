"""The ways a message goes out: Apprise for people's tools, a signed webhook for programs."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from loopwatch_collector.alerts.channel_parsing import ChannelSettings
from loopwatch_collector.alerts.message import body_of, links_of, notification_id, payload_of, title_of
from loopwatch_collector.alerts.states import Alert, Delivery
from loopwatch_collector.alerts.webhook import ID_HEADER, DeliveryFailed, post


class Channels:
    """The channels of the rules file.

    Args:
        settings: each channel's.
        dashboards_url: base URL of the pages, for links; "" when it is not known.
    """

    def __init__(self, settings: Iterable[ChannelSettings], dashboards_url: str) -> None:
        self.settings: Mapping[str, ChannelSettings] = MappingProxyType({one.name: one for one in settings})
        self._dashboards_url = dashboards_url

    def of(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """The channels among those a rule names that exist; all there are when it names none."""
        wanted = tuple(wanted)
        return tuple(name for name in self.settings if not wanted or name in wanted)

    def deliver(self, alert: Alert, delivery: Delivery) -> None:
        """Sends one message.

        Args:
            alert: what it is about.
            delivery: which message, and to which channel.

        Raises:
            DeliveryFailed: it did not arrive.
            DestinationRefused: the channel's address is one we do not send to.
        """
        channel = self.settings.get(delivery.channel)
        if channel is None:
            raise DeliveryFailed(f"there is no channel '{delivery.channel}' any more", retryable=False)
        links = links_of(alert, self._dashboards_url)
        if channel.kind == "webhook":
            headers = {ID_HEADER: notification_id(alert, delivery)}
            body = payload_of(alert, delivery, links)
            post(channel.url, channel.secret, body, headers, allow_private=channel.allow_private)
        else:
            _notify(channel.url, title_of(alert, delivery.kind), body_of(alert, delivery.kind, links), delivery.kind)


def _notify(url: str, title: str, body: str, kind: str) -> None:
    import apprise  # takes 200 ms to import and only a collector that has something to say needs it

    notifier = apprise.Apprise()
    if not notifier.add(url):  # pyright: ignore[reportUnknownMemberType]  # the library's own types are partial
        raise DeliveryFailed("Apprise does not understand the channel's URL", retryable=False)
    notify_type = apprise.NotifyType.SUCCESS if kind == "resolved" else apprise.NotifyType.WARNING
    # said to be text, a customer's name that looks like HTML stays a name, and lines stay lines
    text = apprise.NotifyFormat.TEXT
    if not notifier.notify(body=body, title=title, notify_type=notify_type, body_format=text):  # pyright: ignore[reportUnknownMemberType]  # the same
        raise DeliveryFailed("Apprise could not deliver the message")
