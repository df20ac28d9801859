"""What is deployed is what Kubernetes, Ray Serve, Compose and Barn itself understand."""

import json
import re
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from functools import reduce
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
OURS = {  # custom resources, whose definitions are in no package registry
    kind: yaml.safe_load((Path(__file__).parent / f"{kind.lower()}.schema.yaml").read_text())
    for kind in ("RayService", "ServiceMonitor", "PrometheusRule")
}


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
    if (kind := resource["kind"]) not in OURS:
        kubernetes_takes(resource)
        return
    jsonschema.validate(resource, OURS[kind])
    kubernetes_takes({"apiVersion": "v1", "kind": "ConfigMap", "metadata": resource["metadata"]})
    if kind == "RayService":
        check_ray_service(resource["spec"])
    elif kind == "PrometheusRule":
        rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
        assert resource["spec"] == {"groups": rules["groups"]}  # which promtool checks


def kubernetes_takes(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, "1.37", strict=True)


def check_ray_service(spec: dict[str, Any]) -> None:
    cluster = spec["rayClusterConfig"]
    head, workers = cluster["headGroupSpec"], cluster["workerGroupSpecs"]
    for group in (head, *workers):
        check_pod(group["template"])
    for service in (spec.get("serveService"), head.get("headService")):
        kubernetes_takes({"apiVersion": "v1", "kind": "Service", **(service or {})})
    check_containers(cluster)
    for group in workers:
        least = group.get("minReplicas", 0)
        assert least <= group.get("replicas", least) <= group.get("maxReplicas", 2**31 - 1)
    serve_config(spec["serveConfigV2"])


def check_pod(template: dict[str, Any]) -> None:
    kubernetes_takes({"apiVersion": "v1", "kind": "PodTemplate", "template": template})


def check_containers(cluster: dict[str, Any]) -> None:
    """What KubeRay makes containers and their environment of, as parts of a container."""
    autoscaler = cluster.get("autoscalerOptions", {})
    ours = {"version", "upscalingMode", "idleTimeoutSeconds"}
    container = {"name": "autoscaler", **{k: v for k, v in autoscaler.items() if k not in ours}}
    redis = cluster.get("gcsFaultToleranceOptions", {})
    env = [
        {"name": name, **redis[name]}
        for name in ("redisUsername", "redisPassword")
        if name in redis
    ]
    check_pod({"spec": {"containers": [container, {"name": "redis", "env": env}]}})


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


def test_what_the_monitor_selects_is_a_service_of_every_workers_metrics() -> None:
    found = {r["kind"]: r for r in plain()}
    service, monitor = found["Service"], found["ServiceMonitor"]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert {e["port"] for e in monitor["spec"]["endpoints"]} <= {
        p["name"] for p in service["spec"]["ports"]
    }
    # every pod is a target of its own, ready or not: what they tell adds up
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"]
    cluster = found["RayService"]["spec"]["rayClusterConfig"]
    for group in cluster["workerGroupSpecs"]:
        pod = group["template"]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ports = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"] == 9464


def test_the_head_runs_nothing_that_tells_metrics_and_is_not_asked() -> None:
    found = {r["kind"]: r for r in plain()}
    head = found["RayService"]["spec"]["rayClusterConfig"]["headGroupSpec"]
    pod = head["template"]
    assert head["rayStartParams"]["num-cpus"] == "0"  # front ends and the evaluator want a share
    assert not found["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert 9464 not in {p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}


def test_the_operators_rules_are_those_that_are_tested() -> None:
    written = (DEPLOY / "prometheus" / "prometheusrule.yaml").read_text(encoding="utf-8")
    assert written == text(), "run: python -m deploy.prometheus.build"


def test_a_typing_error_in_a_manifest_would_be_found() -> None:
    budget = next(r for r in plain() if r["kind"] == "PodDisruptionBudget")
    budget["spec"]["maxUnavailible"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        check(budget)


def resource_of(kind: str) -> dict[str, Any]:
    if kind == "PrometheusRule":
        made: dict[str, Any] = yaml.safe_load(text())
        return made
    return next(r for r in plain() if r["kind"] == kind)


def inside(place: Any, step: str) -> Any:
    """What is at a step of a dotted path, made if it is not there yet."""
    return place[int(step)] if isinstance(place, list) else place.setdefault(step, {})


def put(resource: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    *steps, last = path.split(".")
    root: Any = resource
    place = reduce(inside, steps, root)
    place[int(last) if isinstance(place, list) else last] = value
    return resource


CLUSTER = "spec.rayClusterConfig"
HEAD, WORKER = f"{CLUSTER}.headGroupSpec", f"{CLUSTER}.workerGroupSpecs.0"
STEPS = {"stepSizePercent": 10, "intervalSeconds": 30, "gatewayClassName": "istio"}
STEP_BY_STEP = {"type": "NewClusterWithIncrementalUpgrade", "clusterUpgradeOptions": STEPS}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "Barn"),
        ("metadata.name", "b" * 48),
        ("spec.upgradeStrategy.type", "Rolling"),
        ("spec.upgradeStrategy", {"type": "NewClusterWithIncrementalUpgrade"}),
        ("spec.upgradeStrategy", STEP_BY_STEP),  # which needs the autoscaler
        ("spec.upgradeStrategy.clusterUpgradeOptions", {"surge": 50}),
        ("spec.upgradeStrategy.clusterUpgradeOptions", {**STEPS, "stepSizePercent": 101}),
        ("spec.upgradeStrategy.clusterUpgradeOptions", {**STEPS, "intervalSeconds": 0}),
        ("spec.upgradeStrategy.clusterUpgradeOptions", {**STEPS, "gatewayClassName": ""}),
        ("spec.rayClusterDeletionDelaySeconds", "180"),
        ("spec.rayClusterDeletionDelaySeconds", -1),
        ("spec.managedBy", "somebody"),
        ("spec.suspend", True),
        ("spec.serviceUnhealthySecondThreshold", 900),
        (f"{CLUSTER}.upgradeStrategy", {"type": "Recreate"}),
        (f"{CLUSTER}.networkPolicy", {"mode": "DenyAll"}),
        (f"{CLUSTER}.managedBy", "somebody"),
        (f"{CLUSTER}.workerGroupSpec", []),
        (f"{CLUSTER}.authOptions.mode", "tokens"),
        (f"{CLUSTER}.authOptions.enableK8sTokenAuth", True),
        (f"{CLUSTER}.rayVersion", "2.51.1"),
        (f"{CLUSTER}.rayVersion", ""),
        (f"{CLUSTER}.rayVersion", "latest"),
        (f"{CLUSTER}.autoscalerOptions.version", 2),
        (f"{CLUSTER}.autoscalerOptions.upscalingMode", "Fast"),
        (f"{CLUSTER}.autoscalerOptions.idleTimeoutSeconds", -1),
        (f"{CLUSTER}.autoscalerOptions.idleTimeout", 60),
        (f"{CLUSTER}.gcsFaultToleranceOptions", {"redisPassword": {"value": "x"}}),
        (f"{CLUSTER}.gcsFaultToleranceOptions", {"redisAddress": "r:6379", "redisPassword": "x"}),
        (f"{HEAD}.rayStartParams.num-cpus", 0),
        (f"{HEAD}.rayStartParams.labels", "a=b"),
        (f"{HEAD}.rayStartParams.redis-username", "ray"),
        (f"{HEAD}.resources", {"CPU": "0"}),  # beside num-cpus
        (f"{HEAD}.labels", {"a b": "c"}),
        (f"{HEAD}.headService.metadata.name", "head"),
        (f"{HEAD}.template.spec.containers", []),
        (f"{HEAD}.template.spec.containers.0.env.0.name", "RAY_REDIS_ADDRESS"),
        (f"{WORKER}.minReplicas", -1),
        (f"{WORKER}.numOfHosts", 0),
        (f"{WORKER}.suspend", True),
        (f"{WORKER}.idleTimeoutSeconds", 60),  # only the second autoscaler's
        (f"{WORKER}.scaleStrategy", {"workersToDelete": "barn-1"}),
        (f"{WORKER}.scaleStrategy", {"workers": []}),
        (f"{WORKER}.labels", {"zone": "a b"}),
    ],
)
def test_a_fault_in_the_ray_service_would_be_found(path: str, value: object) -> None:
    service = put(resource_of("RayService"), path, value)

    with pytest.raises(jsonschema.ValidationError):
        check(service)


@pytest.mark.parametrize(
    ("place", "missing"),
    [(CLUSTER, "rayVersion"), (CLUSTER, "headGroupSpec"), (WORKER, "minReplicas"),
     (WORKER, "groupName"), ("spec", "serveConfigV2")],
)  # fmt: skip
def test_what_the_ray_service_lacks_would_be_found(place: str, missing: str) -> None:
    service = resource_of("RayService")
    del reduce(inside, place.split("."), service)[missing]

    with pytest.raises(jsonschema.ValidationError):
        check(service)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.label", {"a": "b"}),
        ("spec.serveService", {"spec": {"port": 8000}}),
        (f"{CLUSTER}.autoscalerOptions", {"resources": {"limit": {"cpu": "1"}}}),
        (f"{CLUSTER}.autoscalerOptions", {"env": [{"nam": "A"}]}),
        (f"{CLUSTER}.gcsFaultToleranceOptions",
         {"redisAddress": "r:6379", "redisPassword": {"valueFrom": {"secretKey": {}}}}),
        (f"{WORKER}.template.spec.containers.0.imagePolicy", "Always"),
    ],
)  # fmt: skip
def test_a_fault_in_kubernetes_own_parts_of_the_ray_service_would_be_found(
    path: str, value: object
) -> None:
    service = put(resource_of("RayService"), path, value)

    with pytest.raises(kubernetes_validate.ValidationError):
        check(service)


def test_what_kuberay_takes_and_barn_does_not_use_is_not_refused() -> None:
    service = resource_of("RayService")
    put(service, "spec.upgradeStrategy", STEP_BY_STEP)
    put(service, "spec.managedBy", "kueue.x-k8s.io/multikueue")
    put(service, "spec.serveService", {"spec": {"type": "NodePort"}})
    put(service, f"{CLUSTER}.enableInTreeAutoscaling", value=True)
    put(
        service,
        f"{CLUSTER}.autoscalerOptions",
        {"version": "v2", "upscalingMode": "Conservative", "env": [{"name": "A", "value": "b"}]},
    )
    put(
        service,
        f"{CLUSTER}.gcsFaultToleranceOptions",
        {
            "redisAddress": "redis:6379",
            "redisPassword": {"valueFrom": {"secretKeyRef": {"name": "redis", "key": "password"}}},
        },
    )
    put(service, f"{CLUSTER}.authOptions.secretName", "barn-ray")
    put(service, f"{WORKER}.idleTimeoutSeconds", 60)
    put(service, f"{WORKER}.resources", {"CPU": "4"})
    put(service, f"{WORKER}.labels", {"ray.io/zone": "a"})
    put(service, f"{WORKER}.scaleStrategy", {"workersToDelete": ["barn-1"]})  # fmt: skip

    check(service)


ENDPOINT, RELABEL = "spec.endpoints.0", "spec.endpoints.0.relabelings"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.endpoint", []),
        ("spec.endpoints", []),
        ("spec.endpoints", [{"prot": "metrics"}]),
        ("spec.endpoints", [{"interval": "10s"}]),  # of which port
        (f"{ENDPOINT}.port", 9464),  # a service's port goes by its name
        (f"{ENDPOINT}.interval", "banana"),
        (f"{ENDPOINT}.interval", "10"),
        (f"{ENDPOINT}.interval", 10),
        (f"{ENDPOINT}.scrapeTimeout", "5 s"),
        (f"{ENDPOINT}.scheme", "ftp"),
        (f"{ENDPOINT}.path", "metrics"),
        (f"{ENDPOINT}.honorLabels", "yes"),
        (RELABEL, [{"action": "rename"}]),
        (RELABEL, [{"source_labels": ["pod"], "targetLabel": "pod"}]),
        (RELABEL, [{"sourceLabels": ["pod"]}]),  # replaced where
        (RELABEL, [{"action": "labeldrop", "targetLabel": "pod"}]),
        (RELABEL, [{"action": "hashmod", "targetLabel": "shard"}]),
        ("spec.selector", {}),
        ("spec.selector.matchLabel", {"a": "b"}),
        ("spec.selector.matchLabels.a", 1),
        ("spec.selector.matchExpressions", [{"key": "a", "operator": "Is"}]),
        ("spec.selector.matchExpressions", [{"key": "a", "operator": "In"}]),
        ("spec.namespaceSelector", {"matchNames": "barn"}),
        ("spec.namespaceSelector", {"all": True}),
    ],
)
def test_a_fault_in_the_service_monitor_would_be_found(path: str, value: object) -> None:
    monitor = put(resource_of("ServiceMonitor"), path, value)

    with pytest.raises(jsonschema.ValidationError):
        check(monitor)


RECORD = "spec.groups.0.rules.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.group", []),
        ("spec.groups", []),
        ("spec.groups.0.name", ""),
        ("spec.groups.0.interval", "soon"),
        ("spec.groups.0.rules", []),
        ("spec.groups.0.partial_response_strategy", "ignore"),
        (f"{RECORD}.alert", "Both"),
        (f"{RECORD}.record", "requests per second"),
        (f"{RECORD}.for", "5m"),  # an alert's
        (f"{RECORD}.annotations", {"summary": "an alert's"}),
        (f"{RECORD}.expression", "up"),
        (f"{RECORD}.labels", {"a-b": "c"}),
        (f"{RECORD}.labels", {"a": 1}),
        (RECORD, {"expr": "up"}),
        (RECORD, {"alert": "Down"}),
        (RECORD, {"alert": "Down", "expr": ""}),
        (RECORD, {"alert": "Down", "expr": "up == 0", "for": "a while"}),
        (RECORD, {"alert": "Down", "expr": "up == 0", "keep_firing_for": 5}),
        (RECORD, {"alert": "Down", "expr": "up == 0", "annotations": {"summary": ["a"]}}),
    ],
)
def test_a_fault_in_the_rules_would_be_found(path: str, value: object) -> None:
    rule = put(resource_of("PrometheusRule"), path, value)

    with pytest.raises(jsonschema.ValidationError):
        check(rule)


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


@pytest.mark.parametrize("name", ["cpu", "vllm"])
def test_an_image_copies_what_is_there_and_runs_as_the_user_that_pods_run_as(name: str) -> None:
    lines = (DEPLOY / "docker" / f"Dockerfile.{name}").read_text().splitlines()
    copied = [part for line in lines if line.startswith("COPY") for part in line.split()[1:-1]]
    assert copied
    assert all((DEPLOY.parent / path).exists() for path in copied)
    (user,) = re.findall(r"useradd .*--uid (\d+) barn", "\n".join(lines))
    cluster = resource_of("RayService")["spec"]["rayClusterConfig"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert group["template"]["spec"]["securityContext"]["runAsUser"] == int(user)


def test_a_configuration_of_this_machine_does_not_get_into_an_image() -> None:
    kept_out = (DEPLOY.parent / ".dockerignore").read_text().splitlines()
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    mounted = compose["services"]["barn"]["volumes"][0].split(":")[0]
    assert f"deploy/{Path(mounted)}" in kept_out


@pytest.mark.parametrize("overlay", ["base", "gpu"])
def test_a_quality_table_of_the_cluster_is_in_the_image(overlay: str) -> None:
    told = yaml.safe_load((KUBERNETES / overlay / "barn.yaml").read_text())
    table = Path(told.get("routing", {}).get("table", "/barn/deploy"))
    assert (DEPLOY.parent / table.relative_to("/barn")).exists()


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
