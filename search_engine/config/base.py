"""What all parts of a configuration share: how a field is described, and how a rule between fields is refused."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

PAPER = "NASNet, Zoph et al. 2018"


OURS = "our choice; the paper does not state it"


def option(
    default: Any,
    title: str,
    help: str,
    *,
    unit: str | None = None,
    source: str | None = None,
    only_with: dict[str, str] | None = None,
    **limits: Any,
) -> Any:
    """A field with what the form shows beside it; limits are pydantic's (ge, le, min_length, ...).

    only_with: the field of the same part with which alone this one has a meaning, and that field's value, or its
    values between spaces.
    """
    extra: JsonDict = {"unit": unit, "source": source}
    if only_with is not None:
        extra["only_with"] = {**only_with}
    return Field(default, title=title, description=help, json_schema_extra=extra, **limits)


class Config(BaseModel):
    """A part of a configuration. Unknown names are refused, numbers are finite, nothing changes after it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AtField(ValueError):
    """A rule between fields was broken; carries the field to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def at(field: str, message: str) -> AtField:
    return AtField(field, message)
