"""Traces: a caller's W3C `traceparent` goes through request, event and webhook; spans are made if somebody collects."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from shared.settings import ServiceSettings

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
SEND_THE_REST_WITHIN_S = 2.0

_tracer = trace.get_tracer("kairan")


def configure(settings: ServiceSettings, service: str) -> None:
    """Start to make and export spans, if `otlp_endpoint` is set; call once per process."""
    if not settings.otlp_endpoint:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    provider = TracerProvider(
        sampler=ParentBasedTraceIdRatio(settings.trace_ratio),
        resource=Resource.create({"service.name": f"kairan-{service}", "service.instance.id": settings.instance}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(_traces_url(settings.otlp_endpoint), timeout=5)))
    trace.set_tracer_provider(provider)


def shutdown() -> None:
    """Send what has been collected, and stop; a collector that does not answer holds the process for 2 s at most."""
    provider = trace.get_tracer_provider()
    if is_collecting() and hasattr(provider, "shutdown"):
        sending = threading.Thread(target=provider.shutdown, daemon=True)
        sending.start()
        sending.join(SEND_THE_REST_WITHIN_S)


def is_collecting() -> bool:
    """Whether spans are made in this process."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def current_traceparent() -> str | None:
    """The W3C traceparent of the current span, to be put on an event; None outside of any trace."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags):02x}"


def context_from(traceparent: str | None) -> Context | None:
    """The OTel context that a traceparent names; None if there is none or it is not valid."""
    if traceparent is None:
        return None
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or (traceparent.startswith("00") and match[4] is not None):
        return None
    span = SpanContext(int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16)))
    return trace.set_span_in_context(NonRecordingSpan(span), Context()) if span.is_valid else None


@contextmanager
def span_from(traceparent: str | None, name: str, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
    """A span named `name` that continues `traceparent` (or the current one, without), current inside the block.

    Where nobody collects, it is only the caller's context made current.
    """
    parent = context_from(traceparent) or otel_context.get_current()
    if not is_collecting():
        token = otel_context.attach(parent)
        try:
            yield trace.get_current_span()
        finally:
            otel_context.detach(token)
        return
    with _tracer.start_as_current_span(
        name, context=parent, kind=kind, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


def _traces_url(endpoint: str) -> str:
    return endpoint if endpoint.rstrip("/").endswith("/v1/traces") else endpoint.rstrip("/") + "/v1/traces"
