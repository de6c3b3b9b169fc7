"""Archives that strangers send: a zoo of hostile ones, each refused with its sentence, and nothing left behind."""

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search_engine.data.archive import Archive, Limits
from search_engine.data.own_images import keep_own_images
from search_engine.data.own_set import OwnSet
from search_engine.data.upload_check import REPORT, SET, check
from search_engine.errors import DataError


def picture(seed: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (9, 9, 3)).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


GOOD = {f"{name}/{number}.png": picture(7 * number + len(name)) for name in ("ant", "bear") for number in range(5)}


def zipped(path: Path, more: list[tuple[str | zipfile.ZipInfo, bytes]] | None = None) -> Path:
    """The good entries, and more."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in GOOD.items():
            archive.writestr(name, content)
        for entry, content in more or []:
            archive.writestr(entry, content)
    return path


def with_mode(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    return entry


def nested() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", picture())
    return file.getvalue()


def packed_otherwise(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_BZIP2
    return entry


HOSTILE = {
    "a link": (with_mode("ant/x.png", 0o120777), b"/etc/passwd", "is a symbolic link"),
    "a pipe": (with_mode("ant/x.png", 0o010644), b"", "is neither a file nor a folder"),
    "a way out": ("ant/../../x.png", picture(), "has a path that leads elsewhere"),
    "the root": ("/etc/x.png", picture(), "has an absolute path"),
    "a drive": ("C:/x.png", picture(), "has an absolute path"),
    "backslashes": ("ant\\..\\x.png", picture(), "has a name with a backslash"),
    "a line break": ("ant/x\n.png", picture(), "has a name with characters that cannot be seen"),
    "text turned round": ("ant/\u202egnp.exe", picture(), "has a name with characters that cannot be seen"),
    "a long name": (f"ant/{'x' * 300}.png", picture(), "has a name longer than 255 bytes"),
    "depth": (f"{'a/' * 12}x.png", picture(), "lies more than 8 folders deep"),
    "a lying name": ("ant/x.png", b"#!/bin/sh\nrm -rf /\n", "is no PNG, JPEG, WebP, BMP or GIF image"),
    "a page": ("ant/x.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no PNG, JPEG, WebP, BMP or GIF image"),
    "half an image": ("ant/x.png", picture()[:150], "is damaged: it cannot be decoded"),
    "an archive": ("ant/x.png", nested(), "is an archive; images must stand in the archive itself"),
    "another packing": (packed_otherwise("ant/x.png"), picture(), "is packed by a method other than deflate"),
    "no class": ("x.png", picture(), "stands in no class folder"),
    "a bomb": ("ant/x.bmp", b"BM" + bytes(8 << 20), "unpacks to more than 100 times its size"),
    "a giant": ("ant/x.png", np.random.default_rng(0).bytes(33 << 20), "has 35 MB; at most 34 MB"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_one_hostile_entry_is_refused_with_its_sentence_and_the_rest_is_taken(tmp_path, kind):
    entry, content, sentence = HOSTILE[kind]
    archive = zipped(tmp_path / "pets.zip", [(entry, content)])
    (tmp_path / "out").mkdir()
    report = check(archive, tmp_path / "out", "Pets")
    assert report["error"] == "" and report["accepted"] == 10
    assert sentence in [refusal["reason"] for refusal in report["refused"]]
    assert report["refused_count"] == 1
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["out", "pets.zip", "preview.png", SET]
    assert len(OwnSet(tmp_path / "out" / SET)) == 10


def test_huge_pixels_are_refused_by_the_header_before_anything_is_decoded(tmp_path):
    file = io.BytesIO()
    Image.new("1", (13_000, 13_000)).save(file, "PNG")  # 20 kB that Pillow would turn into 170 MB.
    (tmp_path / "out").mkdir()
    report = check(zipped(tmp_path / "pets.zip", [("ant/x.png", file.getvalue())]), tmp_path / "out", "Pets")
    assert report["refused"] == [{"name": "ant/x.png", "reason": "has more than 16,777,216 pixels"}]


def test_of_two_entries_of_one_name_the_first_is_taken(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = zipped(tmp_path / "pets.zip", [("ant/0.png", picture(50)), ("ANT/1.png", picture(51))])
    (tmp_path / "out").mkdir()
    report = check(archive, tmp_path / "out", "Pets")
    assert report["accepted"] == 10 and report["set"]["classes"] == ["ant", "bear"]
    assert {refusal["reason"] for refusal in report["refused"]} == {"stands twice in the archive"}


def test_an_encrypted_entry_and_one_with_a_wrong_checksum_are_refused(tmp_path):
    archive = zipped(tmp_path / "pets.zip")
    content = bytearray(archive.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    content[second + 8] |= 1  # The flag "encrypted" of the second entry in the list.
    first = content.index(b"PK\x01\x02")
    content[first + 16] ^= 0xFF  # The checksum of the first.
    archive.write_bytes(content)
    (tmp_path / "out").mkdir()
    report = check(archive, tmp_path / "out", "Pets")
    assert report["refused"] == [
        {"name": "ant/0.png", "reason": "is damaged: it cannot be unpacked"},
        {"name": "ant/1.png", "reason": "is encrypted"},
    ]


def refused_whole(tmp_path: Path, archive: Path) -> str:
    (tmp_path / "out").mkdir()
    report = check(archive, tmp_path / "out", "Pets")
    assert report["set"] is None and list((tmp_path / "out").iterdir()) == []
    error: str = report["error"]
    return error


def test_a_truncated_archive_is_refused(tmp_path):
    archive = zipped(tmp_path / "pets.zip")
    archive.write_bytes(archive.read_bytes()[:-100])
    assert refused_whole(tmp_path, archive) == "The archive is no zip archive, or is damaged."


def test_a_hundred_thousand_entries_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"a/{number}"), b"")
    assert refused_whole(tmp_path, tmp_path / "many.zip") == "The archive has 100,000 entries; at most 80,000."


def test_one_bomb_among_good_images_is_refused_alone_and_named(tmp_path):
    """Nothing of it is unpacked, so what it would unpack to is no reason to refuse the images beside it."""
    (tmp_path / "out").mkdir()
    report = check(zipped(tmp_path / "pets.zip", [("ant/x.bmp", bytes(8 << 20))]), tmp_path / "out", "Pets")
    assert (report["error"], report["accepted"]) == ("", 10)
    assert report["refused"] == [{"name": "ant/x.bmp", "reason": "unpacks to more than 100 times its size"}]


def bomb_of_many(path: Path) -> Path:
    """Each entry is small enough to pass alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(40):
            archive.writestr(f"a/{number:02}.bmp", bytes((1 << 20) - number))
        archive.writestr("b/page.txt", b"x")
        archive.writestr("../b.png", picture())
    return path


def test_a_bomb_of_many_entries_is_refused_whole_and_the_sentence_and_the_report_name_them(tmp_path):
    (tmp_path / "out").mkdir()
    report = check(bomb_of_many(tmp_path / "bomb.zip"), tmp_path / "out", "Pets")
    assert report["set"] is None and list((tmp_path / "out").iterdir()) == []
    assert re.fullmatch(
        r"The archive unpacks to \d{3} times its size; at most 100 times. Of its files a/00.bmp grows most.",
        report["error"],
    )
    reasons = {refusal["name"]: refusal["reason"] for refusal in report["refused"]}
    assert report["refused_count"] == len(reasons) == 41
    assert reasons["../b.png"] == "has a path that leads elsewhere"
    assert reasons["a/39.bmp"] == "unpacks to more than 100 times its size"


def test_entries_that_share_their_bytes_are_refused_and_named(tmp_path):
    """The kind of bomb that Fifield described in 2019: every entry unpacks the same packed bytes."""
    archive = zipped(tmp_path / "pets.zip")
    content = bytearray(archive.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = struct.pack("<I", 0)  # Where the second entry begins: where the first does.
    archive.write_bytes(content)
    assert refused_whole(tmp_path, archive) == (
        "The archive has entries that share the same bytes, ant/0.png and ant/1.png; it was made to deceive."
    )


def test_an_entry_that_claims_bytes_beyond_the_end_is_named(tmp_path):
    archive = zipped(tmp_path / "pets.zip")
    content = bytearray(archive.read_bytes())
    last = content.rindex(b"PK\x01\x02")
    content[last + 20 : last + 24] = struct.pack("<I", 1 << 20)  # The packed size of the last entry.
    archive.write_bytes(content)
    assert refused_whole(tmp_path, archive) == (
        "The archive says that bear/4.png has bytes beyond the archive's end; it was made to deceive."
    )


def test_an_archive_larger_than_allowed_is_refused(tmp_path):
    archive = zipped(tmp_path / "pets.zip", [("bear/large.png", bytes(5000))])
    with pytest.raises(DataError, match=r"0.0 GB; at most 0.0 GB. The largest of its files is bear/large.png\."):
        Archive(archive, Limits(total_bytes=1000))


def test_an_archive_of_nothing_but_refused_files_makes_no_set(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name in ("ant/1.png", "bear/1.png"):
            archive.writestr(name, b"no image")
    assert refused_whole(tmp_path, tmp_path / "bad.zip") == "The archive has no image that can be used in class 'ant'."


def test_what_systems_add_unseen_is_passed_over(tmp_path):
    more = [("__MACOSX/ant/._0.png", b"x"), ("ant/.DS_Store", b"x"), ("bear/Thumbs.db", b"x")]
    (tmp_path / "out").mkdir()
    report = check(zipped(tmp_path / "pets.zip", more), tmp_path / "out", "Pets")
    assert (report["accepted"], report["refused"]) == (10, [])


ENTRIES = st.lists(st.tuples(st.sampled_from(["good", *HOSTILE]), st.integers(0, 99)), max_size=8)


@settings(max_examples=25, deadline=None)
@given(ENTRIES)
def test_what_is_taken_are_exactly_the_good_ones(tmp_path_factory, drawn):
    tmp_path = tmp_path_factory.mktemp("drawn")
    more, good = [], 10
    for place, (kind, seed) in enumerate(drawn):
        if kind == "good":
            more.append((f"ant/more-{place}.png", picture(seed)))
            good += 1
        elif kind not in ("a bomb", "a giant"):  # Large, and shown above.
            entry, content, _ = HOSTILE[kind]
            name = entry if isinstance(entry, str) else entry.filename
            kept = zipfile.ZipInfo(f"{name}{place}" if kind != "a page" else f"ant/{place}.svg")
            if not isinstance(entry, str):
                kept.create_system, kept.external_attr = entry.create_system, entry.external_attr
                kept.compress_type = entry.compress_type
            more.append((kept, content))
    report = check(zipped(tmp_path / "pets.zip", more), tmp_path, "Pets")
    assert report["accepted"] == good
    assert report["accepted"] + report["refused_count"] == 10 + len(more)


def test_a_good_archive_gives_the_same_set_in_the_terminal_and_after_an_upload(tmp_path):
    archive = zipped(tmp_path / "pets.zip")
    name = keep_own_images(archive, tmp_path / "data")
    (tmp_path / "out").mkdir()
    assert f"own-{check(archive, tmp_path / 'out', 'pets')['sha256']}" == name
    zipped(archive, [("ant/x.png", b"no image")])
    with pytest.raises(DataError, match=r"pets.zip/ant/x.png is no PNG"):
        keep_own_images(archive, tmp_path / "data")


def run_check(tmp_path: Path, *limits: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "search_engine.data.upload_check", str(zipped(tmp_path / "pets.zip"))]
    command += [str(tmp_path / "out"), "--title", "Pets", *limits]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={"OPENBLAS_NUM_THREADS": "1"})


def test_the_process_reports_and_says_how_far_it_is(tmp_path):
    ended = run_check(tmp_path, "--memory", str(2 << 30), "--seconds", "20", "--file-bytes", str(1 << 30))
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {"done": 10, "of": 10}
    assert json.loads((tmp_path / "out" / REPORT).read_text())["accepted"] == 10


def test_the_process_dies_of_its_limits_and_says_nothing(tmp_path):
    ended = run_check(tmp_path, "--memory", str(2 << 30), "--seconds", "20", "--file-bytes", "100")
    assert ended.returncode != 0
    assert not (tmp_path / "out" / REPORT).exists() or not (tmp_path / "out" / REPORT).read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux can take the network away from a process.")
def test_a_confined_process_has_no_network_and_starts_no_program():
    code = (
        "import socket, subprocess\n"
        "from search_engine.data.confinement import confine\n"
        "assert confine(2 << 30, 20, 1 << 20)\n"
        "for act in (socket.socket, lambda: subprocess.run(['true'])):\n"
        "    try: act()\n"
        "    except PermissionError: print('refused')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "refused\nrefused\n", ended.stderr
