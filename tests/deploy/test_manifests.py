"""What is deployed is what Kubernetes, Ray Serve, Compose and Barn itself understand."""

import json
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.prometheus.build import text
from serving.access import hashed
from serving.build import free_port
from serving.settings import load
from serving.telemetry import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
RAY_SERVICE = yaml.safe_load((Path(__file__).parent / "rayservice.schema.yaml").read_text())


def serve_config(text: str) -> Any:
    """Parse as `serve deploy` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own use of pydantic
        from ray.serve.schema import ServeDeploySchema

        return ServeDeploySchema.model_validate(yaml.safe_load(text))


def plain() -> Iterator[dict[str, Any]]:
    for path in sorted((KUBERNETES / "base").glob("*.yaml")):
        if path.name not in {"kustomization.yaml", "barn.yaml", "names.yaml"}:
            yield from yaml.safe_load_all(path.read_text())


def rendered(overlay: str) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl renders the overlays and is not installed")
    told = subprocess.run(  # noqa: S603 - a fixed command
        ["kubectl", "kustomize", str(KUBERNETES / overlay)], capture_output=True, check=True
    )
    return list(yaml.safe_load_all(told.stdout))


@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_another_configuration_is_another_ray_service(overlay: str) -> None:
    found = rendered(overlay)
    (config,) = (
        r["metadata"]["name"]
        for r in found
        if r["kind"] == "ConfigMap" and r["metadata"]["name"].startswith("barn-config")
    )
    (service,) = (r["spec"] for r in found if r["kind"] == "RayService")
    cluster = service["rayClusterConfig"]
    pods = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    named = {
        volume["configMap"]["name"]
        for pod in pods
        for volume in pod["template"]["spec"]["volumes"]
        if "configMap" in volume
    }

    assert config != "barn-config"  # a hash of what is in it follows
    assert named == {config}


def check(resource: dict[str, Any]) -> None:
    match resource["kind"]:
        case "RayService":
            check_ray_service(resource)
        case "ServiceMonitor":
            assert set(resource["spec"]) <= {"selector", "endpoints", "namespaceSelector"}
        case "PrometheusRule":
            rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
            assert resource["spec"] == {"groups": rules["groups"]}  # which promtool checks
        case _:
            kubernetes_validate.validate(resource, "1.37", strict=True)


def check_ray_service(resource: dict[str, Any]) -> None:
    jsonschema.validate(resource, RAY_SERVICE)
    cluster = resource["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        template = {"apiVersion": "v1", "kind": "PodTemplate", "template": group["template"]}
        kubernetes_validate.validate(template, "1.37", strict=True)
    for group in cluster["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    serve_config(resource["spec"]["serveConfigV2"])


def test_every_manifest_is_one_that_kubernetes_takes() -> None:
    resources = list(plain())
    assert {r["kind"] for r in resources} >= {
        "Namespace", "RayService", "NetworkPolicy", "PodDisruptionBudget", "Service",
        "ServiceMonitor",
    }  # fmt: skip
    for resource in resources:
        check(resource)


@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_an_overlay_renders_to_manifests_that_kubernetes_takes(overlay: str) -> None:
    resources = rendered(overlay)
    for resource in resources:
        check(resource)
    kinds = {r["kind"] for r in resources}
    assert {"PrometheusRule", "ServiceMonitor", "ConfigMap"} <= kinds
    boards = next(r for r in resources if r["metadata"]["name"] == "barn-dashboards")
    assert {p.name for p in (DEPLOY / "grafana").glob("*.json")} == set(boards["data"])
    assert {r["metadata"].get("namespace", "barn") for r in resources} == {"barn"}
    service = next(r for r in resources if r["kind"] == "RayService")
    worker = service["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["template"]["spec"]
    has_gpu = "nvidia.com/gpu" in worker["containers"][0]["resources"]["limits"]
    assert has_gpu == (overlay == "gpu")
    config = next(r for r in resources if r["metadata"]["name"].startswith("barn-config"))
    told = yaml.safe_load(config["data"]["barn.yaml"])
    cluster = service["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        (container,) = group["template"]["spec"]["containers"]
        mounts = {m["mountPath"] for m in container["volumeMounts"]}
        for backbone in told.get("backbones", ()):  # whoever reads the configuration looks for them
            folder = Path(backbone["model"])
            assert not folder.is_absolute() or str(folder.parent) in mounts
        # Ray's own processes would look for a folder that is not there yet, and end
        assert "PROMETHEUS_MULTIPROC_DIR" not in {e["name"] for e in container["env"]}


def test_what_the_monitor_selects_is_a_service_of_every_pods_metrics() -> None:
    found = {r["kind"]: r for r in plain()}
    service, monitor = found["Service"], found["ServiceMonitor"]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert {e["port"] for e in monitor["spec"]["endpoints"]} <= {
        p["name"] for p in service["spec"]["ports"]
    }
    cluster = found["RayService"]["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ports = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"] == 9464


def test_the_operators_rules_are_those_that_are_tested() -> None:
    written = (DEPLOY / "prometheus" / "prometheusrule.yaml").read_text(encoding="utf-8")
    assert written == text(), "run: python -m deploy.prometheus.build"


def test_a_typing_error_in_a_manifest_would_be_found() -> None:
    budget = next(r for r in plain() if r["kind"] == "PodDisruptionBudget")
    budget["spec"]["maxUnavailible"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        check(budget)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "upgradeStrategy", "type"), "Rolling"),
        (("spec", "rayClusterDeletionDelaySeconds"), "180"),
        (("spec", "rayClusterConfig", "authOptions", "mode"), "tokens"),
        (("spec", "rayClusterConfig", "headGroupSpec", "rayStartParams", "num-cpus"), 0),
        (("spec", "rayClusterConfig", "workerGroupSpec"), []),
    ],
)
def test_a_typing_error_in_the_ray_service_would_be_found(
    path: tuple[str, ...], value: object
) -> None:
    service = next(r for r in plain() if r["kind"] == "RayService")
    place = service
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check(service)


def test_pods_name_their_secrets_and_hold_none() -> None:
    text = "".join(p.read_text() for p in KUBERNETES.rglob("*.yaml"))
    assert "secretKeyRef: {name: barn-access" in text
    assert "sha256:" not in text
    assert "password" not in text.lower()


@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_the_configuration_on_the_cluster_is_one_that_barn_takes(
    overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [{"name": "ops", "sha256": hashed("k"), "role": "operator", "requests": "60/minute"}]
    monkeypatch.setenv("BARN_ACCESS__KEYS", json.dumps(keys))
    monkeypatch.setenv("BARN_EVENTS__STORE", "postgresql+psycopg://barn@postgres/barn")

    settings = load(str(KUBERNETES / overlay / "barn.yaml"))

    assert settings.access.keys[0].requests == "60/minute"
    assert settings.service.metrics_port == 9464


def test_the_application_is_one_that_serve_deploy_takes() -> None:
    made = serve_config((DEPLOY / "serve.yaml").read_text())
    assert made.applications[0].import_path == "serving.app:app"


def test_the_compose_file_keeps_composes_schema() -> None:
    told = subprocess.run(  # noqa: S603 - a fixed command
        [*(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
         str(DEPLOY / "compose.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout


def test_a_node_tells_its_metrics_on_a_port_of_its_own() -> None:
    metrics, port, stop = Metrics(), free_port(), threading.Event()
    metrics.count("barn_errors", "chat", "overloaded")
    listening = threading.Thread(target=metrics.listen, args=("127.0.0.1", port, stop))
    listening.start()
    try:
        told = ""
        for _ in range(50):
            try:
                told = httpx.get(f"http://127.0.0.1:{port}/metrics").text
                break
            except httpx.ConnectError:
                stop.wait(0.05)
        assert 'barn_errors_total{code="overloaded",route="chat"} 1.0' in told
    finally:
        stop.set()
        listening.join(timeout=10)
