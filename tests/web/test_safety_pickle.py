"""The web process reads data, never code: no pickle, no marshalled code, no PyTorch."""

import json
import marshal
import os
import pickle  # noqa: TID251 - to show that it is noticed and refused.
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.message import Message

from tests.web import loaded_code
from webapp.celery import app

ROOT = Path(__file__).resolve().parents[2]

# All public addresses and one of each kind of row, in a process that is a web process from its start.
WEB_PROCESS = """
import json, os, sys
from tests.web import loaded_code
seen = loaded_code.listen()
import django
django.setup()
from django.core.management import call_command
from django.test import Client
import webapp.asgi
call_command("migrate", verbosity=0)
from tests.web.example_search import a_search, a_training, demo_json
from tests.web.test_imported_bundles import a_bundle
from django.core.files.uploadedfile import SimpleUploadedFile
from webapp.accounts.sign_in import get_or_create_user
owner = get_or_create_user("owner")
client = Client(headers={"host": "localhost"})
client.force_login(owner)
search = a_search(owner, children=2)
training = a_training(owner, search)
answers = [client.get(address).status_code for address in (
    "/", f"/searches/{search.pk}", f"/trainings/{training.pk}", "/architectures", "/architectures/nasnet-a", "/data",
    "/compare", "/docs/terms", "/api/docs", "/api/openapi.json", "/searches/new", "/api/workers",
    f"/api/searches/{search.pk}/events", f"/searches/{search.pk}/children/0/0", f"/api/searches/{search.pk}/decisions",
)]
answers.append(client.post("/api/searches", {"config": demo_json()}, content_type="application/json").status_code)
file = SimpleUploadedFile("bundle.zip", a_bundle())
answers.append(client.post("/api/architectures/bundles", {"bundle": file, "name": "Mine"}).status_code)
print(json.dumps({"answers": answers, "seen": seen, "torch": "torch" in sys.modules}))
"""


def test_a_web_process_reads_no_pickle_from_its_start_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings", "CELLWRIGHT_DATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["answers"] == [200] * 15 + [201, 201]
    assert found["seen"] == []
    assert not found["torch"]


def test_what_reads_a_pickle_is_noticed() -> None:
    seen = loaded_code.listen()
    pickle.loads(pickle.dumps(Decimal(1)))
    marshal.loads(marshal.dumps(1))
    assert [each.split(" ")[0] for each in seen] == ["pickle.find_class", "marshal.loads"]
    loaded_code.listen()


class Opens:
    """Would make a file where somebody unpickled it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return (os.open, (str(self._path), os.O_CREAT))


@pytest.mark.parametrize("content_type", ["application/x-python-serialize", "application/x-yaml", "application/json"])
def test_a_pickle_in_the_queue_is_never_read(tmp_path: Path, content_type: str) -> None:
    """Threat T2: whoever can write into the broker makes no worker run anything."""
    assert app.conf.accept_content == ["json"] and app.conf.task_serializer == "json"
    body = pickle.dumps(Opens(tmp_path / "was-here"), protocol=0)
    message = Message(
        body=body, content_type=content_type, content_encoding="binary", accept=set(app.conf.accept_content)
    )
    with pytest.raises((ContentDisallowed, ValueError)):
        message.decode()
    assert not (tmp_path / "was-here").exists()
