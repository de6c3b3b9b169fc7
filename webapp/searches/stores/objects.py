"""Objects below a bucket's prefix, by their names; what the server refuses is said in our words.

The one file that knows boto3, which django-storages sets up and uploads with.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, BinaryIO

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, FlexibleChecksumError
from django.core.files import File
from storages.backends.s3 import S3Storage

from webapp.environment import Bucket
from webapp.searches.stores.store import ArtifactDamaged, ArtifactMissing, StoreAway

PIECE = 1 << 20  # Bytes.
LARGE = 64 << 20  # Bytes above which a file travels in parts.
NO_ANSWER = "The artifact store does not answer."
PATIENT = {"connect_timeout": 3, "read_timeout": 20, "retries": {"total_max_attempts": 3}}  # Seconds.
HASTY = {"connect_timeout": 2, "read_timeout": 3, "retries": {"total_max_attempts": 1}}
PROBE = "probe"


class Objects:
    """All calls raise StoreAway, and those that read an object ArtifactMissing and ArtifactDamaged."""

    def __init__(self, bucket: Bucket) -> None:
        self._given = bucket
        self._bucket = bucket.name
        self._prefix = f"{bucket.prefix}/" if bucket.prefix else ""
        self._storage = _storage(bucket, PATIENT)

    @cached_property
    def _client(self) -> Any:
        """Of boto3; any number of threads may use one."""
        return self._storage.bucket.meta.client

    @cached_property
    def _hasty(self) -> Any:
        """One that does not wait, for those who only ask whether the server is there."""
        return _storage(self._given, HASTY).bucket.meta.client

    def upload(self, name: str, file: BinaryIO) -> None:
        """It is there when this returns, as a whole, and before that it is not."""
        with _refusals(self._bucket):
            self._storage.save(name, File(file))

    def write(self, name: str) -> None:
        """An object without content."""
        with _refusals(self._bucket):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=b"")

    def delete(self, name: str) -> None:
        """Whether it is there or not."""
        with _refusals(self._bucket):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def pieces(self, name: str) -> Iterator[bytes]:
        with _refusals(self._bucket):
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        with contextlib.closing(body):
            while True:
                with _refusals(self._bucket):
                    piece = body.read(PIECE)
                if not piece:
                    return
                yield piece

    def size(self, name: str) -> int:
        return int(self._head(name)["ContentLength"])

    def age(self, name: str) -> float:
        """Seconds since it was put, by the server's clock alone."""
        found = self._head(name)
        return _seconds(found, found["LastModified"])

    def listed(self, beginning: str) -> Iterator[tuple[str, float]]:
        """Names that begin so, each with its age in seconds."""
        with _refusals(self._bucket):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + beginning):
                for each in page.get("Contents", ()):
                    yield each["Key"].removeprefix(self._prefix), _seconds(page, each["LastModified"])

    def drop_unfinished(self, older_than: float) -> None:
        """Parts of uploads that began so many seconds ago."""
        with _refusals(self._bucket):
            found = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=self._prefix)
            for each in found.get("Uploads", ()):
                if _seconds(found, each["Initiated"]) > older_than:
                    what = {"Bucket": self._bucket, "Key": each["Key"], "UploadId": each["UploadId"]}
                    self._client.abort_multipart_upload(**what)

    def trouble(self, *, writes: bool) -> str | None:
        """What is wrong with the server, a sentence. writes: a small object is put to see it."""
        try:
            with _refusals(self._bucket):
                if writes:
                    self._hasty.put_object(Bucket=self._bucket, Key=self._prefix + PROBE, Body=b"")
                else:
                    self._hasty.head_bucket(Bucket=self._bucket)
        except ArtifactMissing:
            return no_bucket(self._bucket)
        except StoreAway as away:
            return str(away)
        return None

    def _head(self, name: str) -> dict[str, Any]:
        try:
            with _refusals(self._bucket):
                found: dict[str, Any] = self._client.head_object(Bucket=self._bucket, Key=self._prefix + name)
                return found
        except ArtifactMissing:  # The answer is the same where the bucket is not there.
            if sentence := self.trouble(writes=False):
                raise StoreAway(sentence) from None
            raise


def no_bucket(name: str) -> str:
    return f"The artifact store has no bucket {name}."


@contextlib.contextmanager
def _refusals(bucket: str) -> Iterator[None]:
    """Inside, the server's refusals become ours."""
    try:
        yield
    except FlexibleChecksumError as error:
        raise ArtifactDamaged(str(error)) from error
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code == "NoSuchBucket":
            raise StoreAway(no_bucket(bucket)) from error
        if status == 404:
            raise ArtifactMissing(f"the store has no such file ({code})") from error
        if status in (401, 403):
            raise StoreAway(f"The artifact store refuses access to the bucket {bucket} with these keys.") from error
        raise StoreAway(f"The artifact store refuses a file ({code}).") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StoreAway(NO_ANSWER) from error


def _storage(bucket: Bucket, patience: dict[str, Any]) -> S3Storage:
    style = "path" if bucket.endpoint else "auto"  # On most other servers names of buckets are no names of hosts.
    return S3Storage(
        bucket_name=bucket.name,
        location=bucket.prefix,
        endpoint_url=bucket.endpoint or None,
        region_name=bucket.region or None,
        access_key=bucket.key or None,
        secret_key=bucket.secret or None,
        security_token=bucket.token or None,
        client_config=Config(s3={"addressing_style": style}, **patience),
        transfer_config=TransferConfig(multipart_threshold=LARGE, multipart_chunksize=LARGE, max_concurrency=4),
    )


def _seconds(answer: dict[str, Any], since: datetime) -> float:
    """Between a moment and the answer, both as the server says them."""
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    return (now - since).total_seconds()
