"""Messages to real receivers: mail through Apprise, and a collector that is killed while it tells."""

import contextlib
import email.policy
import http.server
import socketserver
import threading
from dataclasses import replace

import pytest

from loopwatch_collector.alerts.channel_parsing import ChannelSettings
from loopwatch_collector.alerts.channels import Channels
from loopwatch_collector.alerts.conditions import Verdict
from loopwatch_collector.alerts.rule import Rule, Threshold
from loopwatch_collector.alerts.states import Delivery, advance
from loopwatch_collector.alerts.webhook import DeliveryFailed, post
from tests.processes import collector, get, loopwatch, wait_for

# Apprise imports a module of the standard library that Python 3.13 no longer has, if it is there
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as a sender needs; keeps the mails."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _MailSession)
        self.mails = []


class _MailSession(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self):
        self.say("220 test")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_mail())
            self.say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def read_mail(self):
        lines = []
        while (line := self.rfile.readline().decode()) != ".\r\n":
            lines.append(line)
        return "".join(lines)


@pytest.fixture
def mail_server():
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def firing_alert():
    rule = Rule(
        "dear", "Dear customer", "spend_by", "cost_usd", "usd", Threshold(50.0, None, 50.0), 3_600, group_by="customer"
    )
    alert = advance(None, rule, "default", "acme", Verdict("breach", 65.0, 50.0), 1_790_856_000 * 10**9)
    assert alert is not None
    return alert


def test_mail_arrives_through_apprise(mail_server):
    """A mailto channel delivers subject and text to a real SMTP server."""
    url = f"mailto://127.0.0.1:{mail_server.server_address[1]}/?from=loopwatch@example.com&to=ops@example.com&mode=insecure"
    channels = Channels([ChannelSettings("ops", "apprise", url)], "http://pages.example")
    channels.deliver(firing_alert(), Delivery(1, "firing", "ops"))
    (mail,) = mail_server.mails
    assert "[WARNING] Dear customer (customer acme) fires" in mail.replace("\r\n ", " ")
    assert "$65.00 within 1 h, the threshold is $50.00" in mail.replace("=\r\n", "")
    assert "Since 2026-10-01 12:00:00 UTC" in mail.replace("=\r\n", "")


def mailed(mail_server, alert, options=""):
    """The parts of a mail about an alert, by their kind."""
    url = f"mailto://127.0.0.1:{mail_server.server_address[1]}/?from=a@example.com&to=b@example.com&mode=insecure"
    Channels([ChannelSettings("ops", "apprise", url + options)], "").deliver(alert, Delivery(1, "firing", "ops"))
    mail = email.message_from_string(mail_server.mails[-1], policy=email.policy.default)
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


def test_a_mail_is_text_whatever_its_names_are(mail_server):
    """Lines stay lines, and what a sender called its customer is no HTML, in a mail that is HTML either."""
    alert = replace(firing_alert(), group='<img src="http://evil.example/x">')
    plain = mailed(mail_server, alert)
    assert plain.keys() == {"text/plain"}
    assert plain["text/plain"].splitlines()[1] == "Since 2026-10-01 12:00:00 UTC."
    html = mailed(mail_server, alert, "&format=html")["text/html"]
    assert "<img" not in html
    assert "&lt;img" in html


def test_a_mail_server_that_is_down_is_a_failed_delivery(mail_server):
    """Apprise's false is an exception here, so that the message is tried again."""
    mail_server.shutdown()
    mail_server.server_close()
    url = f"mailto://127.0.0.1:{mail_server.server_address[1]}/?from=a@example.com&to=b@example.com&mode=insecure"
    channels = Channels([ChannelSettings("ops", "apprise", url)], "")
    with pytest.raises(DeliveryFailed) as failure:
        channels.deliver(firing_alert(), Delivery(1, "firing", "ops"))
    assert failure.value.retryable


class EndlessAnswer(http.server.BaseHTTPRequestHandler):
    """Takes a message, and answers for as long as somebody listens."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x" * 65_536)

    def log_message(self, *_):
        pass


def test_an_answer_without_end_is_not_read():
    """That a webhook took the message is all there is to know: its body costs neither time nor memory."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EndlessAnswer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            post(f"http://127.0.0.1:{server.server_port}/x", "s", b"{}", {}, allow_private=True)
        finally:
            server.shutdown()
            thread.join()


RULE = """
[[rule]]
name = "any-spend"
title = "Any spend"
query = "spend_by"
params = { dimension = "all" }
value = "cost_usd"
window = "1h"
every = "1s"
condition = { kind = "threshold", above = 0.001 }
"""


def test_a_collector_killed_while_it_tells_neither_loses_nor_doubles(tmp_path, hook, rules_file):
    """SIGKILL after firing, with the message refused so far: the next process delivers it, and only once."""
    rules = rules_file(tmp_path / "rules.toml", hook.url, RULE)
    hook.statuses = [503] * 1_000
    with collector(tmp_path, LOOPWATCH_RULES=str(rules)) as first:
        agent = loopwatch("agent", "run", "--runs", "3", "--latency-scale", "0", "--endpoint", first.url)
        assert agent.returncode == 0, agent.stderr
        wait_for(lambda: hook.received or None, "a first attempt")
        first.process.kill()
        first.process.wait()
    refused = len(hook.received)
    hook.statuses = []
    with collector(tmp_path, LOOPWATCH_RULES=str(rules)) as second:
        alert = wait_for(
            lambda: next(
                (
                    one
                    for one in get(f"{second.url}/api/v1/alerts", rule="any-spend")["alerts"]
                    if one["notifications"][0]["state"] == "sent"
                ),
                None,
            ),
            "the message is delivered",
        )
        rule_url = f"{second.url}/api/v1/rules/any-spend"
        first_at = wait_for(lambda: get(rule_url)["state"]["evaluated_at"], "an evaluation")
        wait_for(lambda: get(rule_url)["state"]["evaluated_at"] > first_at, "an evaluation after the delivery")
    assert len(hook.received) == refused + 1
    assert {message["alert_id"] for message in hook.messages()} == {alert["alert_id"]}
