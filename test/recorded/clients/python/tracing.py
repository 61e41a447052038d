"""The OpenTelemetry SDK as an application sets it up."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from ledger import FAKE


def start(batch=True):
    provider = TracerProvider()
    processor = BatchSpanProcessor if batch else SimpleSpanProcessor
    provider.add_span_processor(processor(OTLPSpanExporter(FAKE + "/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider
