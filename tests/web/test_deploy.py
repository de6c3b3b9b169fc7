"""deploy/ says what its readers understand, fits the program, and names nothing that is not there.

Images cannot be built here: what they would run is run as processes by tests/cluster.
"""

import copy
import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.core.management import get_commands

from tests.cluster import deploy_files
from tests.cluster.deploy_files import DEPLOY, GIVEN, ROOT, compose, instructions, program
from webapp.docs import settings_page
from webapp.supervisor import broker, parts

KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml*"))
SETTINGS = {each.name for each in settings_page.listed()}
# Every part of the program as one container runs it; None: as the image does by itself.
COMMANDS = {
    "web": None,
    "reconciler": ["python", "manage.py", "reconcile"],
    "worker": ["python", "manage.py", "worker", "--processes", "2"],
    "migrate": ["python", "manage.py", "migrate", "--no-input"],
}
VALKEY = ["--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]


# --- The image. -------------------------------------------------------------------------------------------------------


def test_the_image_runs_the_web_process_as_up_does_and_as_nobody_special() -> None:
    said = dict(instructions())
    plan = parts.Plan(home=ROOT, logs=ROOT, host="0.0.0.0", port=8000, site="", workers=0)
    web = next(part for part in parts.parts_of(plan, {}, None) if part.name == "web")
    assert json.loads(said["CMD"]) == ["python", *web.command[1:]]
    assert re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", said["USER"])
    assert "://" not in (DEPLOY / "Dockerfile").read_text()  # Where packages come from is whoever builds it's choice.


def test_whatever_the_image_copies_is_there_and_is_let_through_and_nothing_is_forgotten() -> None:
    let_through = re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), flags=re.MULTILINE)
    copied = {
        source
        for name, said in instructions()
        if name == "COPY" and "--from" not in said
        for source in said.split()[:-1]
    }
    assert copied == set(let_through)
    assert all((ROOT / name).exists() for name in copied)
    assert copied >= {"webapp", "search_engine", "frontend", "docs", "manage.py", "CHANGELOG.md", "requirements.txt"}


# --- Compose. ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return deploy_files.services(**GIVEN)


def test_compose_runs_the_commands_of_the_program(services: dict[str, Any]) -> None:
    assert set(services) == {*COMMANDS, "web-2", "proxy", "postgres", "valkey"}
    for name, command in [*COMMANDS.items(), ("web-2", COMMANDS["web"])]:
        service = services[name]
        assert service["command"] == command, name
        assert service["image"] == services["web"]["image"]
        assert set(service["environment"]) <= SETTINGS
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert [each["target"] for each in service["volumes"]] == [service["environment"]["CELLWRIGHT_DATA"]]
    assert [name for name in services if services[name].get("ports")] == [
        "proxy"
    ]  # Nothing else is reached from outside.
    assert services["web"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert services["valkey"]["command"] == ["valkey-server", *VALKEY]


def test_both_web_processes_are_one_service_twice_and_the_proxy_knows_them(services: dict[str, Any]) -> None:
    assert {key: value for key, value in services["web"].items() if key != "build"} == services["web-2"]
    names = re.search(r"\{\$WEB_ADDRESSES:(.*)\}", (DEPLOY / "Caddyfile").read_text())
    assert names is not None and names[1] == "web:8000 web-2:8000"
    assert {"web", "web-2"} <= set(services["web"]["environment"]["ALLOWED_HOSTS"].split(","))


@pytest.mark.parametrize("name", GIVEN)
def test_compose_says_which_secret_is_missing(name: str) -> None:
    done = compose("-q", **GIVEN | {name: ""})
    assert done.returncode != 0 and f"{name} is missing" in done.stderr


def test_what_compose_asks_for_is_in_its_example_and_nothing_else_is() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text())) - {"CELLWRIGHT_IMAGE"}
    example = re.findall(r"^([A-Z_]+)=", (DEPLOY / "compose.env.example").read_text(), flags=re.MULTILINE)
    assert asked == set(example)


def test_the_proxy_understands_its_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [program("caddy"), "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile"],
        env={"SITE_NAME": "cells.example", "HOME": str(tmp_path)}, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# --- Kubernetes. ------------------------------------------------------------------------------------------------------


@functools.cache
def manifests() -> list[dict[str, Any]]:
    return [each for path in KUBERNETES for each in yaml.load_all(path.read_text(), yaml.CSafeLoader)]


def test_every_manifest_fits_its_schema_and_stands_in_the_namespace() -> None:
    seen = 0
    for each in manifests():
        kubernetes_validate.validate(each, "1.37", strict=True)
        where = each["metadata"].get("namespace") or each["metadata"]["name"]
        assert where == "cellwright", each["metadata"]
        seen += 1
    assert seen >= 15


def test_a_manifest_that_does_not_fit_is_refused() -> None:
    wrong = copy.deepcopy(named("Deployment")["web"])
    wrong["spec"]["replicas"] = "two"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.37", strict=True)


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests() if each["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    """What is started, by name: the pod of each."""
    found = named("Deployment") | named("StatefulSet") | named("Job")
    return {name: each["spec"]["template"] for name, each in found.items()}


def test_the_cluster_runs_the_commands_of_the_program_as_nobody_special() -> None:
    assert set(pods()) == {*COMMANDS, "worker-gpu", "postgres", "valkey"}
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert container["securityContext"] | {"readOnlyRootFilesystem": True} == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        if name in COMMANDS:
            assert container.get("command") == COMMANDS[name], name
            assert container["envFrom"] == [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "secrets"}}]
        if name.startswith("worker"):
            assert container["command"][2] in get_commands()
    assert pods()["valkey"]["spec"]["containers"][0]["args"] == ["valkey-server", *VALKEY]


def test_what_the_manifests_name_is_there() -> None:
    for kind in ("Service", "PodDisruptionBudget"):
        for name, each in named(kind).items():
            selector = each["spec"]["selector"]
            assert selector.get("matchLabels", selector) == pods()[name]["metadata"]["labels"]
    for name, each in (named("Deployment") | named("StatefulSet")).items():
        assert each["spec"]["selector"]["matchLabels"] == pods()[name]["metadata"]["labels"] == {"app": name}
    for pod in pods().values():
        volumes = pod["spec"].get("volumes", [])
        claims = {each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each}
        assert claims <= set(named("PersistentVolumeClaim"))
    (path,) = named("Ingress")["web"]["spec"]["rules"][0]["http"]["paths"]
    (port,) = named("Service")["web"]["spec"]["ports"]
    assert path["backend"]["service"] == {"name": "web", "port": {"name": port["name"]}}
    assert named("HorizontalPodAutoscaler")["worker"]["spec"]["scaleTargetRef"]["name"] in named("Deployment")


def test_the_cluster_sets_nothing_that_is_no_setting() -> None:
    given = named("ConfigMap")["settings"]["data"]
    secret = named("Secret")["secrets"]["stringData"]
    assert set(given) | set(secret) <= SETTINGS | {"POSTGRES_PASSWORD"}
    probes = pods()["web"]["spec"]["containers"][0]
    hosts = [probes[kind]["httpGet"]["httpHeaders"][0]["value"] for kind in ("startupProbe", "readinessProbe")]
    assert set(hosts) <= set(given["ALLOWED_HOSTS"].split(","))


def test_every_valkey_keeps_nothing_as_the_embedded_one_does() -> None:
    ours = broker.server_command(Path("/run/valkey.sock"))
    assert all(option in ours for option in VALKEY)
