"""Tell what kind of question a query asks: a first rule, read top to bottom.

Each line is a pattern over the lower-cased text of the last user turn, and the task it means; the
first that fits wins. A learned classifier will replace this behind the same function.
"""

import re
from dataclasses import dataclass

from routing.domain import Query, Task

_NUMBER = r"\d+(\.\d+)?"
_RULES: tuple[tuple[str, str], ...] = (
    ("code", r"\b(code|program|function|python|flow ?chart|algorithm|pseudocode)\b"),
    (
        "geometry",
        r"\\triangle|\\angle|\b(triangle [a-z]{3}\b.*\d|perpendicular|hypotenuse|perimeter"
        r"|radius of|diameter of|area of the|degrees? of|tangent|parallelogram)\b|∠|⊙",
    ),
    ("existence", r"^(is|are) (there|no|not) (an? |any |not )?[\w ]+ (shape|present)|\bpresent\?"),
    (
        "multi_hop",
        r"\b(both|either|neither|every|all (the )?\w+s)\b|\b(color|colour|shape|what|which)\b.*"
        r"\b(left|right|above|below|behind|in front|next to|nearest|closest)\b( of| to)? the\b"
        r"|\b(largest|biggest|smallest) (shape|object)|\bmore \w+ than\b|\bfewer\b"
        r"|^is there .*\b(and|or)\b",
    ),
    (
        "chart",
        r"\b(sum|total|difference|average|mean|median|ratio|together|add)\b.*"
        r"\b(bars?|chart|graph|plot|table|values?|lines?|years?)\b"
        r"|\b(high|tall|low|short)est bar\b|\bbar (higher|taller|lower|greater)|\bbars? differ"
        r"|^is (\w+ ){1,2}(greater|higher|less|lower|more|rougher|smoother) than\b"
        r"|\b(bar chart|pie chart|line graph|scatter plot|intersect|area under the curve)\b",
    ),
    (
        "science",
        r"\b(food web|food chain|predator|organism|species|planet|molecule|chemical|cell)s?\b",
    ),
    (
        "arithmetic",
        rf"\b(calculate|compute|solve|evaluate|result|equals?|subtract|how much|times|divided)\b"
        rf"|{_NUMBER} ?[-+*/x\u00d7\u00f7] ?{_NUMBER}"
        r"|\b(comes next|is next|continue the (series|sequence)"
        r"|next (number|term))\b|\bgreater than \d",
    ),
    (
        "commonsense",
        r"^why\b|\b(what (might|would|will|could|should)|most likely|probably|purpose)\b",
    ),
    (
        "knowledge",
        r"\b(who (is|was|invented|painted|wrote)|capital of|which country|what year was|president"
        r"|famous|invented|founded|born|history)\b",
    ),
    ("captioning", r"\b(describe|caption|summari[sz]e)\b|what is happening|tell me about"),
    (
        "extraction",
        r"\b(value (of|for|does)|how (high|tall) is the|date|invoice|receipt|total amount|address"
        r"|phone|name of the (company|store))\b",
    ),
    (
        "ocr",
        r"\b(read|say|says|written|word|text|letters?|sign|logo|title|number (is )?(shown|written"
        r"|in the image|on)|(first|second|last) number|what number)\b",
    ),
    (
        "existence",
        r"^(is|are) there\b|\bcontain\b|\bpresent\b|do(es)? (you see|the image (show|have))",
    ),
    ("counting", r"\b(how many|count|number of)\b"),
    (
        "spatial",
        r"^where\b|\b(left|right|above|below|top|bottom|behind|in front|part of the image)\b",
    ),
    ("attribute", r"\b(colou?r|material|size|made of|pattern)\b"),
    ("recognition", r"\b(what|which|who|identify|name)\b"),
)
_COMPILED = tuple((Task(name), re.compile(pattern)) for name, pattern in _RULES)
_INSTRUCTION = re.compile(
    r"\b(please )?(answer|respond|reply)( the question)? (with|using|in)\b.*", re.S
)


@dataclass(frozen=True, slots=True)
class TaskScores:
    """The task a query asks for, and what told so."""

    task: Task
    evidence: str


def classify(query: Query) -> TaskScores:
    """Name the task; a picture question that fits no rule is about recognition.

    >>> classify(Query("What is the sum of the red and blue bars?")).task
    <Task.CHART: 'chart'>
    """
    text = _INSTRUCTION.sub("", query.text.lower()).strip() or query.text.lower()
    for task, pattern in _COMPILED:
        if found := pattern.search(text):
            return TaskScores(task, f"{found.group(0)[:40]!r}")
    if not query.images:
        return TaskScores(Task.CHAT, "no picture")
    return TaskScores(Task.RECOGNITION, "no rule fits")
