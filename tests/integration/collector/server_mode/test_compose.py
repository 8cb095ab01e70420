"""compose.yaml and the image, as far as a machine without Docker can check them."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import clickhouse_connect
import pytest
import yaml

from loopwatch.cli import COMMANDS
from loopwatch_collector.settings import Settings
from loopwatch_collector.store.client import Clients
from tests.processes import loopwatch

ROOT = Path(__file__).parents[4]
OURS = {"collector-1", "collector-2", "dashboards", "agent"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def _filled(value: str) -> str:
    """A value as compose makes it when every variable of .env has its own name in small letters."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: found[1].lower(), value)


def test_the_file_follows_the_compose_specification() -> None:
    """The published schema of the specification accepts it."""
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*words, str(ROOT / "compose.yaml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_it_has_the_parts_of_server_mode(compose: dict[str, Any]) -> None:
    """ClickHouse, two collectors behind a balancer, dashboards, an agent; each is watched, bounded and restarted."""
    services = compose["services"]
    assert services.keys() == OURS | {"clickhouse", "balancer"}
    for name, service in services.items():
        assert "healthcheck" in service, name
        assert "mem_limit" in service, name
        assert service["restart"] == "unless-stopped", name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    for name in ("clickhouse", "collector-1", "collector-2"):
        [volume] = services[name]["volumes"]
        assert volume.split(":")[0] in compose["volumes"]


def test_no_secret_is_in_the_file(compose: dict[str, Any]) -> None:
    """Passwords and keys come from the environment, and a missing one stops the start."""
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if any(word in name for word in ("KEY", "PASSWORD", "DSN")):
                assert re.findall(r"\$\{\w+:\?", value), name


def test_collectors_start_with_these_settings(compose: dict[str, Any]) -> None:
    """The environment is one the collector accepts: keys in all roles, a store address it can read, its own volume."""
    volumes = set()
    for name in ("collector-1", "collector-2"):
        service = compose["services"][name]
        settings = Settings.from_environment({key: _filled(value) for key, value in service["environment"].items()})
        assert {key.role for key in settings.keys} == {"ingest", "read", "admin"}
        assert not Clients(settings.dsn).embedded
        assert service["volumes"][0].endswith(f":{settings.data_dir}")
        volumes.add(service["volumes"][0])
    assert len(volumes) == 2


def test_every_command_exists_with_its_options(compose: dict[str, Any]) -> None:
    """What the containers run is a subcommand of ours, and each option is one of its."""
    for name in OURS:
        command, *words = compose["services"][name]["command"]
        assert command in COMMANDS
        nested = [words[0]] if words and not words[0].startswith("-") else []
        described = loopwatch(command, *nested, "--help").stdout
        for option in (word for word in words if word.startswith("--")):
            assert option in described, (command, option)


def test_health_checks_ask_what_is_there(compose: dict[str, Any]) -> None:
    """The collectors and the balancer are healthy when a collector is ready."""
    for name in ("collector-1", "collector-2", "balancer"):
        assert any("/readyz" in word for word in compose["services"][name]["healthcheck"]["test"])
    assert "httpchk GET /readyz" in compose["configs"]["balancer"]["content"]


def test_the_user_may_do_what_the_collector_does_and_no_more(compose: dict[str, Any], tmp_path: Path) -> None:
    """The grants parse, are on the one database, and name each system table that our statements read."""
    user = ElementTree.fromstring(compose["configs"]["clickhouse-user"]["content"])
    grants = [grant.text or "" for grant in user.iterfind("users/loopwatch/grants/query")]
    client = clickhouse_connect.get_client(dsn=f"chdb://{tmp_path}/engine")
    for grant in grants:
        client.query(f"EXPLAIN AST {grant} TO loopwatch")
    client.close()
    assert all(re.search(r" ON (loopwatch\.\*|system\.\w+)$", grant) for grant in grants)
    read = {
        table
        for file in (ROOT / "collector").rglob("*.sql")
        if not {"backups", "embedded"} & set(file.parts)  # what only the embedded engine is asked
        for table in re.findall(r"\bsystem\.(\w+)", file.read_text())
    }
    assert read <= {grant.rsplit("system.", 1)[1] for grant in grants if "system." in grant}


def test_the_server_is_bounded_and_keeps_no_endless_logs(compose: dict[str, Any]) -> None:
    """Its memory is under its container's, and each log that is left ends by itself."""
    server = ElementTree.fromstring(compose["configs"]["clickhouse-server"]["content"])
    bound = int(server.findtext("max_server_memory_usage", "0"))
    assert 0 < bound < 4 * 2**30
    for log in (element for element in server if element.tag.endswith("_log")):
        assert log.get("remove") == "1" or "TTL" in log.findtext("engine", ""), log.tag


def test_the_image_is_made_of_what_the_package_needs() -> None:
    """Every folder of the package, and the files its build reads, are copied and not ignored."""
    dockerfile = (ROOT / "collector" / "Dockerfile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {folder.split("/")[0] for folder in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    for name in {*wanted, "pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}:
        assert f"!{name}" in ignored, name
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", dockerfile, re.MULTILINE), name
    assert not re.search(r"^USER root|^USER 0", dockerfile, re.MULTILINE)
    assert re.search(r"^USER loopwatch$", dockerfile, re.MULTILINE)
