"""Dashboards, rules and runbooks agree with the metrics that the code exports."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from deploy.grafana.build import BOARDS, HERE, build
from serving.console.runbooks import FOLDER, page
from serving.registry import REGISTRY

DEPLOY = HERE.parent
RULES = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
_NAME = re.compile(r"\b(?:barn|gen_ai)_[a-z_]+\b(?!:)")


def exported() -> set[str]:
    """Every series name that the registry gives."""
    names = set()
    for m in REGISTRY:
        suffixes = {
            "counter": ("_total",),
            "gauge": ("",),
            "histogram": ("_bucket", "_sum", "_count"),
        }
        names |= {m.name + suffix for suffix in suffixes[m.kind]}
    return names


def expressions() -> list[str]:
    """Every PromQL expression of every panel and rule."""
    panels = [q for _, board in BOARDS.values() for p in board for q, _ in p.queries]
    rules = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    return panels + rules


@pytest.mark.parametrize("uid", list(BOARDS))
def test_the_committed_dashboard_is_what_the_code_makes(uid: str) -> None:
    assert (HERE / f"{uid}.json").read_text() == build(uid)


@pytest.mark.parametrize("uid", list(BOARDS))
def test_a_dashboard_keeps_the_linters_rules(uid: str) -> None:
    made = json.loads(build(uid))
    panels = [p for p in made["panels"] if p["type"] != "row"]

    assert len({p["title"] for p in panels}) == len(panels)
    assert all(p["fieldConfig"]["defaults"]["unit"] and p["description"] for p in panels)
    assert all(p["datasource"]["uid"] == "${datasource}" for p in panels)
    windows = set(
        re.findall(r"\[([^\]]+)\]", " ".join(q for p in BOARDS[uid][1] for q, _ in p.queries))
    )
    assert windows <= {"$__rate_interval"}


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_is_promql_over_metrics_that_exist(expression: str) -> None:
    promql_parser.parse(expression.replace("$__rate_interval", "1m"))
    recorded = {rule.get("record") for group in RULES["groups"] for rule in group["rules"]}
    plain = re.sub(
        r"barn:[a-z_:0-9]+", lambda m: "" if m.group() in recorded else m.group(), expression
    )

    assert set(_NAME.findall(plain)) <= exported()


def test_every_alert_has_a_runbook() -> None:
    alerts = [r for g in RULES["groups"] for r in g["rules"] if "alert" in r]

    assert alerts
    for alert in alerts:
        url = alert["annotations"]["runbook_url"]
        name = url.removeprefix("{{ $externalLabels.barn }}/console/runbooks/")
        shown = bytes(page(FOLDER / f"{name}.md").body).decode()
        assert "<strong>Do.</strong>" in shown, alert["alert"]


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus"
)
def test_promtool_accepts_the_rules_and_their_unit_tests() -> None:
    folder: Path = DEPLOY / "prometheus"
    for command in (["check", "rules", "rules.yml"], ["test", "rules", "rules.test.yml"],
                    ["check", "config", "prometheus.yml"]):  # fmt: skip
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["promtool", *command],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_metric_names_keep_the_conventions() -> None:
    assert len({m.name for m in REGISTRY}) == len(REGISTRY)
    for m in REGISTRY:
        assert re.fullmatch(r"(barn|gen_ai)_[a-z_]+", m.name)
        assert m.help.endswith(".")
        assert not m.name.endswith("_total")
