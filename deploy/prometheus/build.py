"""Write `prometheusrule.yaml`, the rules as Prometheus' operator takes them, from `rules.yml`.

python -m deploy.prometheus.build
"""

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_HEAD = (
    "# Written by `python -m deploy.prometheus.build` from rules.yml.\n"
    "# Alerts link to Barn's runbooks: give your Prometheus `externalLabels: {barn: https://…}`.\n"
)


def rule() -> dict[str, Any]:
    """The PrometheusRule."""
    groups = yaml.safe_load((HERE / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "barn"},
        "spec": {"groups": groups},
    }


def text() -> str:
    """The file's text."""
    return _HEAD + yaml.safe_dump(rule(), sort_keys=False, width=1_000, allow_unicode=True)


def main() -> None:
    """Write the file."""
    (HERE / "prometheusrule.yaml").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
