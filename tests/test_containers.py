"""The compose file and the Kubernetes manifests, as far as they can be tried without either."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pytest_django import Settings

from arboris import heartbeat
from arboris.outage import Outage
from tests.checkout import ROOT

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted(DEPLOY.glob("kubernetes/*.yaml"))
# A schema of the newest release, and of the oldest that is still looked after.
RELEASES = ("1.37", "1.34")


def documents() -> list[dict[str, Any]]:
    return [
        document
        for path in MANIFESTS
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_every_manifest_fits_kubernetes_schemas(release: str) -> None:
    kinds = []
    for document in documents():
        if document["kind"] != "Kustomization":
            kubernetes_validate.validate(document, release, strict=True)
            kinds.append(document["kind"])
    assert sorted(set(kinds)) == [
        "ConfigMap", "Deployment", "Ingress", "Job", "PodDisruptionBudget", "Service",
    ]  # fmt: skip


def test_a_manifest_that_does_not_fit_is_refused() -> None:
    wrong = next(document for document in documents() if document["kind"] == "Deployment")
    wrong["spec"]["replicas"] = "two"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, RELEASES[0], strict=True)


def test_kustomize_is_told_of_every_manifest() -> None:
    (top,) = (document for document in documents() if document["kind"] == "Kustomization")
    assert sorted(top["resources"]) == [
        path.name for path in MANIFESTS if path.name != "kustomization.yaml"
    ]


def test_what_kubernetes_runs_has_the_settings_and_no_secret_in_it() -> None:
    for document in documents():
        if document["kind"] not in {"Deployment", "Job"}:
            continue
        pod = document["spec"]["template"]["spec"]
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["envFrom"] == [
                {"configMapRef": {"name": "arboris-settings"}},
                {"secretRef": {"name": "arboris"}},
            ]
            assert container["securityContext"]["readOnlyRootFilesystem"]
    web = next(document for document in documents() if document["kind"] == "Deployment")
    (container,) = web["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_compose_passes_every_setting_on() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))
    for name in ("migrate", "web", "async-processor"):
        service = compose["services"][name]
        assert service["env_file"] == [{"path": ".env", "required": False}]
        # Nothing here may hide a setting of that file, but for what compose itself provides.
        assert set(service["environment"]) <= {
            "DJANGO_SECRET_KEY", "DJANGO_SECRET_KEY_FILE", "DATABASE_URL", "DATABASE_URL_FILE",
            "REDIS_URL", "ARBORIS_HEARTBEAT_FILE",
        }  # fmt: skip
    for name in ("web", "async-processor"):
        needs = compose["services"][name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.process
def test_workers_are_well_while_their_heart_beats(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "heartbeat"
    monkeypatch.setattr(heartbeat, "_outage", Outage(heartbeat.log))
    monkeypatch.setattr(heartbeat, "_told", 0.0)
    clock = SimpleNamespace(monotonic=lambda: heartbeat.EVERY_SECONDS)
    monkeypatch.setattr(heartbeat, "time", clock)
    settings.ARBORIS_HEARTBEAT_FILE = str(file)
    command = [sys.executable, str(DEPLOY / "healthcheck.py"), "workers"]
    environment = os.environ | {"ARBORIS_HEARTBEAT_FILE": str(file)}

    def look() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    assert look().returncode == 1
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as short,  # a socket's path has 107 bytes
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.bind(f"{short}/notify")
        systemd.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{short}/notify")
        heartbeat.beat()
        assert systemd.recv(100) == b"WATCHDOG=1"
    assert look().returncode == 0
    heartbeat.beat()  # at once again: it is not told, and nobody listens any more
    ago = time.time() - 3600
    os.utime(file, (ago, ago))
    silent = look()
    assert silent.returncode == 1
    assert re.fullmatch(r"no heartbeat for 3[67]\d\d s\n", silent.stderr)
    for turn in (2, 3):  # told in vain: said once, and no reason to end
        clock.monotonic = lambda turn=turn: turn * heartbeat.EVERY_SECONDS
        heartbeat.beat()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert look().returncode == 0
