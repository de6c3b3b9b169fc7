"""Traces for a collector of OpenTelemetry, where one is named; else nothing of it is even imported.

A job is one trace: "job" with what it is about, and inside it "claim", "train" and a "commit" for each time that
something was handed in. A request is a trace of its own, or part of its caller's. Addresses stay out of both: secrets
stand in some of them.
"""

import atexit
import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
SERVICE = "cellwright"
END_SECONDS = 2.0  # So long a process that ends waits for a collector.
NOT_TRACED = ("health", "ready", "metrics")  # Asked every few seconds, by programs.
Attributes = dict[str, str | int]

_provider: Any = None
_process = 0  # That began it: one that was forked begins its own, since threads do not come along.


def why_not() -> str | None:
    """Why no traces can be sent from here, a sentence."""
    try:
        missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    except ModuleNotFoundError:
        missing = [*PACKAGES]
    if not missing:
        return None
    return (
        "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what sends traces is not installed: "
        "pip install -r requirements-traces.txt, or leave the setting empty."
    )


@contextmanager
def of_job(about: Attributes, claimed_at: int) -> Iterator[None]:
    """The block does a job that was claimed since `claimed_at`, by `now`."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span("job", start_time=claimed_at, attributes=about):
        tracer.start_span("claim", start_time=claimed_at).end(now())
        yield


@contextmanager
def part(name: str, **about: str | int) -> Iterator[None]:
    """The block is a part of what is under way. What it raises is noted."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(name, attributes=about):
        yield


def now() -> int:
    """Nanoseconds since 1970, as traces count."""
    return time.time_ns()


def end() -> None:
    """Send what has not been sent, before this process ends; a collector that is away holds it up for a moment only."""
    global _provider
    ending, _provider = _provider, None
    if ending is not None and _process == os.getpid():
        sending = threading.Thread(target=ending.shutdown, name="last traces", daemon=True)
        sending.start()
        sending.join(END_SECONDS)


class Traced(MiddlewareMixin):
    """Makes a trace of each request for a page or an answer; named by the route's pattern, never by the address."""

    def process_request(self, request: HttpRequest) -> None:
        tracer = _tracer()
        if tracer is None or request.path.strip("/") in NOT_TRACED:
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        request.trace = tracer.start_span(  # type: ignore[attr-defined]
            str(request.method), context=extract(request.headers), kind=SpanKind.SERVER,
            attributes={"http.request.method": str(request.method)},
        )  # fmt: skip

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        span = getattr(request, "trace", None)
        if span is None:
            return response
        route = getattr(request.resolver_match, "route", None)
        if route is not None:
            span.update_name(f"{request.method} /{route}")
            span.set_attribute("http.route", f"/{route}")
        span.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 500:
            from opentelemetry.trace import StatusCode

            span.set_status(StatusCode.ERROR)
        span.end()
        return response


def _tracer() -> Any:
    """This process's; None where nobody asked for traces."""
    global _provider, _process
    if not settings.TRACES_TO:
        return None
    if _provider is None or _process != os.getpid():
        _provider, _process = provider(_exporter()), os.getpid()
        atexit.register(end)
    return _provider.get_tracer(SERVICE)


def provider(exporter: Any) -> Any:
    """What makes spans and hands them to this exporter, now and then and in a thread. The variables of OpenTelemetry
    hold, such as OTEL_TRACES_SAMPLER and OTEL_RESOURCE_ATTRIBUTES."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource({"service.name": SERVICE, "service.version": settings.CODE_VERSION})
    made = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    made.add_span_processor(BatchSpanProcessor(exporter))
    return made


def _exporter() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()  # It reads the address, and what goes with it, from the environment by itself.
