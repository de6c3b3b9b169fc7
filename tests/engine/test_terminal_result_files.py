import json

from search_engine.terminal.result_files import write_best, write_table


def test_a_table_has_a_heading_and_leaves_empty_what_is_none(tmp_path):
    write_table(tmp_path / "children.csv", ("slot", "reward", "decisions"), ([n, None, "0 1"] for n in range(2)))
    assert (tmp_path / "children.csv").read_bytes() == b"slot,reward,decisions\r\n0,,0 1\r\n1,,0 1\r\n"


def test_a_table_replaces_the_one_before_it(tmp_path):
    write_table(tmp_path / "children.csv", ("slot",), [[0], [1]])
    write_table(tmp_path / "children.csv", ("slot",), [[2]])
    assert (tmp_path / "children.csv").read_bytes() == b"slot\r\n2\r\n"


def test_the_best_architecture_is_json_for_people(tmp_path):
    best = {"kind": "cells", "search": {"reward": 0.5}}
    write_best(tmp_path, best)
    content = (tmp_path / "best.json").read_text()
    assert json.loads(content) == best
    assert content.endswith("}\n") and "\n  " in content
