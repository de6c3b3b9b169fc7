"""The one way in which the client says no."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """field: dotted path of the value that is wrong, "" where it is not about one; message: a sentence."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field} {self.message}" if self.field else self.message


class CellwrightError(Exception):
    """What was asked for was refused, or nobody answered.

    status: of HTTP, 0 where no answer came. problems: all that is wrong; field and sentence are those of the first.
    """

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.status = status
        self.problems = tuple(problems)

    @property
    def field(self) -> str:
        return self.problems[0].field

    @property
    def sentence(self) -> str:
        return self.problems[0].message


def refusal(status: int, answer: Any) -> CellwrightError:
    """What an answer of this status says. answer: its JSON; None where it has none."""
    told = answer if isinstance(answer, dict) else {}
    problems = [Problem(each["field"], each["message"]) for each in told.get("errors", ())]
    if not problems:
        sentence = told.get("detail") or f"The server answered with {status} and no reason."
        problems = [Problem("", sentence)]
    return CellwrightError(status, problems)


def unless_wrong(answer: dict[str, Any]) -> dict[str, Any]:
    """For answers that tell what is wrong as a part of them: the answer, where nothing is."""
    if answer.get("errors"):
        raise refusal(422, answer)
    return answer
