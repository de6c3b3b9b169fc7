"""Files and addresses that somebody made to break us: a sample of each here, thousands in `make slow`."""

import io
import random
import resource
import urllib.parse
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from search_engine.data.archive import Archive, Limits
from search_engine.data.one_image import Unfit, picture_of
from search_engine.errors import DataError
from tests.web.example_search import a_search, a_training
from tests.web.slow_sizes import size
from tests.web.test_imported_bundles import a_bundle

SEED = 20260101
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")


def spoiled(content: bytes, generator: random.Random) -> bytes:
    """Some bytes changed, cut out, put in twice, or made to look like a large number."""
    made = bytearray(content)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        at = generator.randrange(len(made) + 1)
        length = generator.choice((1, 2, 4, 8, 64))
        match generator.randrange(5):
            case 0:
                made[at : at + length] = generator.randbytes(min(length, len(made) - at))
            case 1:
                del made[at : at + length]
            case 2:
                made[at:at] = made[max(0, at - length) : at]
            case 3:
                made[at : at + length] = b"\xff" * min(length, len(made) - at)
            case 4:
                made[at:] = b"" if generator.random() < 0.3 else made[at:]
    return bytes(made)


def images() -> list[bytes]:
    pixels = np.random.default_rng(1).integers(0, 256, (24, 24, 3)).astype(np.uint8)
    made = []
    for name in FORMATS:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, name)
        made.append(file.getvalue())
    return made


def test_a_mutated_image_is_a_picture_or_a_reason_and_takes_little_memory() -> None:
    generator, originals = random.Random(SEED), images()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = {"picture": 0, "reason": 0}
    for _ in range(size(300, 10_000)):
        try:
            picture = picture_of(spoiled(generator.choice(originals), generator))
            assert 0 < picture.side <= 512
            outcomes["picture"] += 1
        except Unfit as reason:
            assert str(reason)
            outcomes["reason"] += 1
    assert min(outcomes.values()) > 20, outcomes
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 512 * 1024, f"{grown} kB"


def an_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(images()):
            archive.writestr(f"ant/{number}.x", content)
            archive.writestr(f"bear/{number}.x", content[::-1])
    return file.getvalue()


def test_a_mutated_archive_is_read_within_its_limits_or_refused_and_writes_nothing(tmp_path: Path) -> None:
    generator, original, path = random.Random(SEED), an_archive(), tmp_path / "sent.zip"
    limits = Limits(entries=100, entry_bytes=1 << 20, total_bytes=4 << 20)
    read = refused = 0
    for _ in range(size(300, 10_000)):
        path.write_bytes(spoiled(original, generator))
        try:
            archive = Archive(path, limits)
        except DataError as error:
            assert error.message.endswith(".")
            refused += 1
            continue
        for name in archive:
            try:
                assert len(archive.read(name)) <= limits.entry_bytes
                read += 1
            except Unfit:
                refused += 1
        archive.close()
    assert read > 100 and refused > 100
    assert [each.name for each in tmp_path.iterdir()] == ["sent.zip"]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_pickle")
def test_a_mutated_bundle_is_an_answer_and_leaves_nothing(signed_in: Client, store: Path) -> None:
    generator, original = random.Random(SEED), a_bundle()
    refused = 0
    for _ in range(size(30, 1000)):
        file = SimpleUploadedFile("bundle.zip", spoiled(original, generator))
        answer = signed_in.post("/api/architectures/bundles/read", {"bundle": file})
        assert answer.status_code in (200, 422), answer.content
        refused += bool(answer.json()["errors"])
    assert refused > size(30, 1000) // 4
    assert not any(path.is_file() for path in store.rglob("*"))


STEPS = ("..", "../..", "....//", "..;/", "%2e%2e", "%252e%252e", "..%2f", "..%252f", "..%5c", "..\\", "%c0%ae%c0%ae",
         "%uff0e%uff0e", ".%00.", "..%00/", "~", "file:", "%0a..", "．．")  # fmt: skip
TARGETS = (
    "etc/passwd", "secret-key", "cellwright.sqlite3", "webapp/settings.py", "proc/self/environ", "", "nasnet-a.json",
)  # fmt: skip
ENDINGS = (
    "", "%00", "%00.json", ".json%20", "/", "/.", "?", "#", ";.svg", "%23", "::$DATA", ".SVG", "%2esvg",
    "/architecture.json",
)  # fmt: skip
PLACES = (
    "/api/artifacts/{}", "/api/architectures/{}", "/api/architectures/{}/architecture.json",
    "/api/architectures/{}/bundle", "/api/architectures/nasnet-a/{}", "/architectures/{}",
    "/architectures/{}/whole.svg", "/architectures/nasnet-a/{}.svg", "/data/samples/{}.png",
    "/api/data/{}/preview.png", "/api/data/samples/{}.png", "/docs/{}", "/docs/images/{}.png",
    "/api/searches/{search}/children/0/0/{}", "/searches/{search}/children/0/0/{}.svg", "/api/trainings/{training}/{}",
    "{static}{}", "{static}js/{}",
)  # fmt: skip


def addresses(generator: random.Random, places: list[str], count: int) -> list[str]:
    """Ways out of the folder of each place, written in many ways."""
    found: set[str] = set()
    while len(found) < count:
        steps = "/".join(generator.choice(STEPS) for _ in range(generator.randrange(1, 6)))
        way = f"{steps}{generator.choice(('/', '%2f', '%5c', chr(92), ''))}{generator.choice(TARGETS)}"
        way = generator.choice((way, urllib.parse.quote(way), urllib.parse.quote(urllib.parse.quote(way)), way.upper()))
        found.add(generator.choice(places).replace("{}", way + generator.choice(ENDINGS)))
    return sorted(found)


@pytest.mark.django_db
def test_no_way_of_writing_an_address_leads_out(signed_in: Client, owner: Any, settings: Any) -> None:
    search = a_search(owner, children=1)
    training = a_training(owner, search)
    names = {"{search}": str(search.pk), "{training}": str(training.pk), "{static}": settings.STATIC_URL}
    places = list(PLACES)
    for name, value in names.items():
        places = [place.replace(name, value) for place in places]
    for address in addresses(random.Random(SEED), places, size(300, 10_000)):
        answer = signed_in.get(
            "/", PATH_INFO=urllib.parse.unquote_to_bytes(address.partition("?")[0]).decode("latin-1")
        )
        assert answer.status_code == 404 and not answer.streaming, (address, answer.status_code)
