"""Why something was refused, in the reader's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.notify.portal.words import Words
from shared.web.exchange import invalid
from shared.web.problems import Problem, as_problem


@dataclass(frozen=True)
class Refusal:
    """`said` in the reader's language; `faults` per field of the form; `detail` is the service's own, in English."""

    status: int
    said: str
    faults: tuple[str, ...]
    detail: str


def problem_of(error: Exception) -> Problem | None:
    """The problem that an error stands for, also when a form could not be read as what the API takes."""
    return as_problem(invalid(error, "body") if isinstance(error, ValidationError) else error)


def correctable(error: Exception) -> Problem:
    """The problem that the reader can mend on the same page; any other error is raised again."""
    problem = problem_of(error)
    if problem is None or problem.status >= 500:
        raise error
    return problem


def refusal(problem: Problem, words: Words) -> Refusal:
    """What a reader is told."""
    faults = {_fault(words, fault["loc"]) for fault in problem.extra.get("errors", ())}
    said = words.refusals.get(problem.slug) or (problem.title if words.lang == "en" else words.texts["refused_heading"])
    detail = "" if faults else _detail(problem, problem.extra)
    stage = words.stages.get(str(problem.extra.get("stage")))
    return Refusal(problem.status, f"{said} ({stage})" if stage else said, tuple(sorted(faults - {""})), detail)


def _fault(words: Words, place: list[Any]) -> str:
    return next((words.faults[one] for one in map(str, reversed(place)) if one in words.faults), "")


def _detail(problem: Problem, extra: Mapping[str, Any]) -> str:
    return f"{extra['place']}: {problem.detail}" if "place" in extra else problem.detail
