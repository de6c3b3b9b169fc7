import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from search_engine.data.token_streams import IGNORED, TokenPart
from search_engine.errors import ConfigError


def part(tokens: int) -> TokenPart:
    return TokenPart(torch.from_numpy(np.arange(tokens)))


def test_streams_are_contiguous_and_go_on_from_stretch_to_stretch() -> None:
    stretches = list(part(11).stretches(2, [3, 1]))  # Streams 0..4 and 5..9; token 10 does not fill a row.
    words, targets = (torch.cat(columns) for columns in zip(*stretches, strict=True))
    assert words.T.tolist() == [[0, 1, 2, 3], [5, 6, 7, 8]]
    assert targets.T.tolist() == [[1, 2, 3, 4], [6, 7, 8, 9]]
    assert [len(one) for one, _ in stretches] == [3, 1]


@given(st.integers(2, 60), st.integers(1, 12), st.integers(1, 9))
def test_every_token_but_the_first_is_scored_once_however_many_streams(tokens: int, streams: int, length: int) -> None:
    streams = min(streams, tokens - 1)
    scored = list(part(tokens).scored(streams, length))
    targets = torch.cat([target.flatten() for _, target in scored])
    assert sorted(targets[targets != IGNORED].tolist()) == list(range(1, tokens))
    for words, after in scored:
        is_scored = after != IGNORED
        assert torch.equal(words[is_scored] + 1, after[is_scored])


def test_windows_are_the_stretches_of_one_length_in_any_order() -> None:
    one = part(23)  # Streams 0..10 and 11..21; ten guesses each, so three whole windows of three.
    assert one.windows(2, 3) == 3
    words, targets = one.window(2, 3, 1)
    assert words.T.tolist() == [[3, 4, 5], [14, 15, 16]]
    assert targets.T.tolist() == [[4, 5, 6], [15, 16, 17]]


def test_a_part_shorter_than_a_window_is_one_window() -> None:
    one = part(8)
    assert one.windows(2, 35) == 1
    words, targets = one.window(2, 35, 0)
    assert words.T.tolist() == [[0, 1, 2], [4, 5, 6]] and targets.T.tolist() == [[1, 2, 3], [5, 6, 7]]
    assert part(8).windows(8, 35) == 0


@pytest.mark.parametrize(("streams", "whole"), [(64, 414), (20, 1327), (128, 207)])
def test_a_text_of_the_penn_treebanks_length_has_as_many_stretches_as_enas_counts(streams: int, whole: int) -> None:
    """Stretches of 35 in 929,589 tokens; what is left is one shorter stretch here, and left out there."""
    steps = TokenPart(torch.zeros(929_589, dtype=torch.uint8)).steps(streams)
    assert steps // 35 == whole
    assert TokenPart(torch.zeros(73_760, dtype=torch.uint8)).windows(64, 35) == 32


@given(st.integers(4, 80), st.integers(1, 12), st.integers(1, 9))
def test_every_target_of_a_window_follows_its_word_and_no_word_is_read_twice(
    tokens: int, streams: int, length: int
) -> None:
    one = part(tokens)
    windows = [one.window(streams, length, number) for number in range(one.windows(streams, length))]
    read = [word for words, _ in windows for word in words.flatten().tolist()]
    assert len(set(read)) == len(read)
    assert all(torch.equal(words + 1, targets) for words, targets in windows)
    assert all(words.numel() for words, _ in windows)


def test_a_text_too_short_for_the_batch_is_refused_at_the_batch() -> None:
    with pytest.raises(
        ConfigError, match="is 6; the training part has 11 tokens, and each stream needs two"
    ) as refused:
        part(11).steps(6)
    assert refused.value.field == "recipe.batch_size"
    assert part(12).steps(6) == 1


def test_a_part_counts_its_batches_for_ever() -> None:
    one = part(9)
    list(one.stretches(2, [2, 1]))
    list(one.scored(1, 4))
    assert one.batches_served == 4
