"""The space that a configuration asks for."""

from search_engine.config.space import AnySpaceConfig, EnasMacroSpaceConfig, EnasMicroSpaceConfig, NasnetSpaceConfig
from search_engine.spaces.base import Space
from search_engine.spaces.enas_macro import EnasMacroSpace
from search_engine.spaces.enas_micro import EnasMicroSpace
from search_engine.spaces.enas_recurrent import EnasRecurrentSpace
from search_engine.spaces.nasnet import NasnetSpace


def build_space(config: AnySpaceConfig) -> Space:
    """The decisions of any of the four kinds of space, and what they decode to."""
    if isinstance(config, NasnetSpaceConfig):
        return NasnetSpace(config)
    if isinstance(config, EnasMicroSpaceConfig):
        return EnasMicroSpace(config)
    if isinstance(config, EnasMacroSpaceConfig):
        return EnasMacroSpace(config)
    return EnasRecurrentSpace(config)
