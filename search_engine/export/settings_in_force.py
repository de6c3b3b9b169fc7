"""The settings that took part in a training: what was switched off, and what belongs to it, is left out."""

from search_engine.config.base import Config

# Values with which a setting does nothing. Of batch norm: the network's own values, which the card tells by itself.
_OFF: dict[str, object] = {
    "warm_up": 0.0,
    "momentum": 0.0,
    "weight_decay": 0.0,
    "cutout": 0,
    "label_smoothing": 0.0,
    "drop_path": "off",
    "auxiliary_weight": 0.0,
    "dropout_keep": 1.0,
    "weight_average": 0.0,
    "batch_norm_epsilon": 0.0,
    "batch_norm_momentum": 0.0,
    "reestimate_batches": 0,
    "drop_words": 0.0,
    "drop_inputs": 0.0,
    "drop_nodes": 0.0,
    "drop_outputs": 0.0,
    "activation_penalty": 0.0,
    "slowness_penalty": 0.0,
    "averaging": "never",
}
# Settings that begin with an epoch, whose number the other setting tells: with fewer epochs they never began.
_BEGINS = {"decay": "decay_from", "decay_from": "decay_from", "averaging_from": "averaging_from"}


def settings_in_force(part: Config) -> dict[str, str]:
    """Titles and values, as words, in the order of the form."""
    fields = type(part).model_fields
    return {str(info.title): _told(getattr(part, name)) for name, info in fields.items() if _is_in_force(part, name)}


def _is_in_force(part: Config, name: str) -> bool:
    value = getattr(part, name)
    if name == "kind" or value is False or (name in _OFF and value == _OFF[name]):
        return False
    if name in _BEGINS and getattr(part, _BEGINS[name]) > getattr(part, "epochs"):  # noqa: B009  # No part of its base.
        return False
    extra = type(part).model_fields[name].json_schema_extra
    only_with = extra.get("only_with") if isinstance(extra, dict) else None
    return not isinstance(only_with, dict) or all(
        str(getattr(part, chooser)) in str(wanted).split() for chooser, wanted in only_with.items()
    )


def _told(value: object) -> str:
    return "yes" if value is True else str(value)
