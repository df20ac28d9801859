"""Write the Grafana dashboards: `python -m deploy.grafana.build`; the JSON beside this is its output."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard as board
from grafana_foundation_sdk.builders import heatmap, prometheus, timeseries
from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DynamicConfigValue

HERE = Path(__file__).parent
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: queries with their legends, and the unit of its axis.

    `heat` draws the series over each other as rows of colour, in the order of their legends;
    `band` repeats the panel for each chosen backbone and fills what lies between `low` and `high`.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    about: str = ""
    heat: bool = False
    band: bool = False


def _quantile(q: float, metric: str, by: str) -> str:
    rate = f"rate({metric}_bucket[$__rate_interval])"
    return f"histogram_quantile({q}, sum by (le, {by}) ({rate}))"


BOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "quality": (
        "Quality per task",
        (
            Panel("Accuracy on $task: $backbone", (
                ("barn_accuracy{backbone=~\"$backbone\", task=\"$task\"}", "accuracy"),
                ("barn_accuracy_low{backbone=~\"$backbone\", task=\"$task\"}", "low"),
                ("barn_accuracy_high{backbone=~\"$backbone\", task=\"$task\"}", "high"),
            ), "percentunit", "On graded answers, inside the band of its 95 % interval; one panel "
               "for each backbone.", band=True),
            Panel("Accuracy", (("barn_accuracy", "{{backbone}} {{task}}"),), "percentunit",
                  "On graded answers, every backbone and task."),
            Panel("Calibration error", (("barn_calibration_error", "{{backbone}} {{task}}"),),
                  "percentunit", "Gap between confidence and accuracy."),
            Panel("Reliability: accuracy by confidence", (
                ("sum by (confidence) (barn_reliability{backbone=~\"$backbone\"} * barn_reliability_answers{backbone=~\"$backbone\"} >= 0) / sum by (confidence) (barn_reliability_answers{backbone=~\"$backbone\"} > 0)", "{{confidence}}"),
            ), "percentunit", "Rows are bands of confidence, named by their lower end; the colour is "
               "how many of their answers were right. Well calibrated: as bright as its name says.",
               heat=True),
            Panel("Brier score", (("barn_brier_score", "{{backbone}} {{task}}"),)),
            Panel("Graded answers", (("barn_graded_answers", "{{backbone}} {{task}}"),)),
            Panel("Changes found", (("barn_drift_changes", "{{backbone}} {{task}} {{of}}"),), "short",
                  "ADWIN over accuracy, confidence and task mix."),
            Panel("How far the last change went",
                  (("barn_drift_score", "{{backbone}} {{task}} {{of}}"),), "percentunit"),
            Panel("Confidence, median",
                  ((_quantile(0.5, "barn_confidence", "backbone"), "{{backbone}}"),), "percentunit"),
            Panel("Feedback", (
                ("sum by (source) (rate(barn_feedback_total[$__rate_interval]))", "{{source}}"),
            ), "reqps"),
        ),
    ),
    "experiments": (
        "A/B and shadow",
        (
            Panel("Evidence of a difference (e-value)",
                  (("barn_experiment_e_value", "{{experiment}} {{candidate}} {{task}}"),), "short",
                  "Twenty and more is a verdict at 5 %, whenever one looks."),
            Panel("Candidate − control",
                  (("barn_experiment_difference", "{{experiment}} {{candidate}} {{task}}"),),
                  "percentunit"),
            Panel("Lag of copies",
                  ((_quantile(0.99, "barn_shadow_lag_seconds", "experiment"), "{{experiment}} p99"),),
                  "s", "From a user's answer to the end of its copy."),
            Panel("Copies", (
                ("sum by (experiment) (rate(barn_shadow_offered_total[$__rate_interval]))",
                 "{{experiment}} due"),
                ("sum by (experiment, outcome) (rate(barn_shadow_copies_total[$__rate_interval]))",
                 "{{experiment}} {{outcome}}"),
            ), "reqps"),
        ),
    ),
    "routing": (
        "Routing and cost",
        (
            Panel("Requests by backbone", (
                ("sum by (backbone, family) (rate(barn_requests_total[$__rate_interval]))",
                 "{{backbone}} {{family}}"),
            ), "reqps"),
            Panel("Requests by task", (
                ("sum by (task) (rate(barn_requests_total[$__rate_interval]))", "{{task}}"),
            ), "reqps"),
            Panel("Cost", (
                ("sum by (backbone, kind) (rate(barn_cost_dollars_total[$__rate_interval])) * 3600",
                 "{{backbone}} {{kind}}"),
            ), "currencyUSD", "Dollars an hour: answers, first tries of cascades, copies, probes."),
            Panel("Escalations", (
                ("sum by (task) (rate(barn_escalations_total[$__rate_interval]))", "{{task}}"),
            ), "reqps"),
            Panel("Why", (
                ("sum by (why) (rate(barn_decisions_total[$__rate_interval]))", "{{why}}"),
            ), "reqps", "Preferred, drawn, by an experiment, pinned or escalated."),
            Panel("Share explored", (
                ("(sum by (policy) (rate(barn_decisions_total{why=\"drawn\"}[$__rate_interval])) or "
                 "0 * sum by (policy) (rate(barn_decisions_total[$__rate_interval]))) / "
                 "sum by (policy) (rate(barn_decisions_total[$__rate_interval]))", "{{policy}}"),
            ), "percentunit"),
            Panel("Quality table", (("max(barn_table_version)", "version"),)),
        ),
    ),
    "serving": (
        "Serving",
        (
            Panel("Requests", (
                ("sum by (outcome) (rate(barn_requests_total[$__rate_interval]))", "{{outcome}}"),
            ), "reqps"),
            Panel("Errors", (
                ("sum by (route, code) (rate(barn_errors_total[$__rate_interval]))", "{{route}} {{code}}"),
            ), "reqps"),
            Panel("What breaks, and where", (
                ("sum by (error, backbone, task) (rate(barn_failures_total[$__rate_interval]))", "{{error}} {{backbone}} {{task}}"),
            ), "reqps"),
            Panel("Latency", (
                (_quantile(0.5, "gen_ai_server_request_duration_seconds", "backbone"), "{{backbone}} p50"),
                (_quantile(0.99, "gen_ai_server_request_duration_seconds", "backbone"), "{{backbone}} p99"),
            ), "s"),
            Panel("Time to first token", (
                (_quantile(0.5, "gen_ai_server_time_to_first_token_seconds", "backbone"), "{{backbone}} p50"),
                (_quantile(0.99, "gen_ai_server_time_to_first_token_seconds", "backbone"), "{{backbone}} p99"),
            ), "s"),
            Panel("Time per output token", (
                (_quantile(0.5, "gen_ai_server_time_per_output_token_seconds", "backbone"), "{{backbone}}"),
            ), "s"),
            Panel("Where the time goes", (
                (_quantile(0.5, "barn_phase_seconds", "phase"), "{{phase}}"),
            ), "s"),
            Panel("Batch size", (
                (_quantile(0.5, "barn_batch_size", "backbone"), "{{backbone}} p50"),
            ), "short"),
            Panel("Tokens", (
                ("sum by (backbone, direction) (rate(barn_tokens_total[$__rate_interval]))",
                 "{{backbone}} {{direction}}"),
            ), "short"),
            Panel(
                "Under way and waiting",
                (
                    ("sum by (backbone) (barn_ongoing_requests)", "{{backbone}}"),
                    (
                        "clamp_min(sum by (backbone) (barn_ongoing_requests)"
                        " - max by (backbone) (barn_replica_requests), 0)",
                        "{{backbone}}, waiting",
                    ),
                ),
            ),
            Panel("Spool", (("sum(barn_spool_bytes)", "bytes"),), "bytes"),
            Panel("Drain lag", (("max(barn_drain_lag_seconds)", "seconds"),), "s",
                  "Since everything that was in the spool was in the store."),
            Panel("Store away", (
                ("sum(rate(barn_drain_failures_total[$__rate_interval]))", "failures"),
            ), "reqps"),
        ),
    ),
}  # fmt: skip


def build(uid: str) -> str:
    """One dashboard as JSON."""
    title, panels = BOARDS[uid]
    made: Any = (
        board.Dashboard(f"Barn: {title}")
        .uid(f"barn-{uid}")
        .tags(["barn"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(
            board.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )
    if any(panel.band for panel in panels):
        made = made.with_variable(_chosen("backbone", several=True))
        made = made.with_variable(_chosen("task", several=False))
    for panel in panels:
        made = made.with_panel(_panel(panel))
    text: str = JSONEncoder(sort_keys=True, indent=1).encode(made.build())
    return text + "\n"


def _chosen(label: str, *, several: bool) -> Any:
    """A variable over the values that a label of the accuracy has."""
    return (
        board.QueryVariable(label)
        .label(label.capitalize())
        .query(f"label_values(barn_accuracy, {label})")
        .datasource(SOURCE)
        .include_all(several)
        .multi(several)
    )


def _panel(panel: Panel) -> Any:
    made = heatmap.Panel().calculate(False) if panel.heat else _lines(panel)  # noqa: FBT003
    made = (
        made.title(panel.title)
        .description(panel.about or panel.title)
        .unit(panel.unit)
        .datasource(SOURCE)
        .height(8)
        .span(12)
    )
    for k, (expression, name) in enumerate(panel.queries):
        query = prometheus.Dataquery().expr(expression).legend_format(name).ref_id("ABC"[k])
        made = made.with_target(query.datasource(SOURCE))
    return made


def _lines(panel: Panel) -> Any:
    legend = (
        VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)  # noqa: FBT003 - the builder's own signature
    )
    made: Any = timeseries.Panel().legend(legend)
    if panel.band:
        below = DynamicConfigValue("custom.fillBelowTo", "low")
        faint = DynamicConfigValue("custom.lineWidth", 0)
        made = made.override_by_name("high", [below, faint]).override_by_name("low", [faint])
        made = made.repeat("backbone")
    return made


def main() -> None:
    """Write every dashboard."""
    for uid in BOARDS:
        (HERE / f"{uid}.json").write_text(build(uid), encoding="utf-8")


if __name__ == "__main__":
    main()
