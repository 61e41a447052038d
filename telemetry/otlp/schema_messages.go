package otlp

import "strconv"

// protocol holds the messages of opentelemetry-proto 1.11 that are walked by table.
type protocol struct {
	traces, logs, metrics                          *message
	resource, scope, scopeSpans, scopeLogs         *message
	event, link, anyValue, keyValue, array, kvlist *message
}

// messages is the protocol; nothing changes it.
var messages = newProtocol()

func newProtocol() *protocol {
	p := &protocol{}
	p.common()
	p.trace()
	p.log()
	p.metric()
	return p
}

func (p *protocol) common() {
	p.anyValue = &message{name: "AnyValue", value: true}
	p.keyValue = newMessage("KeyValue",
		scalar(1, "key", kindString), one(2, "value", p.anyValue), scalar(3, "keyStrindex", kindInt32))
	p.array = newMessage("ArrayValue", many(1, "values", p.anyValue))
	p.kvlist = newMessage("KeyValueList", many(1, "values", p.keyValue))
	p.anyValue.define(
		scalar(1, "stringValue", kindString),
		scalar(2, "boolValue", kindBool),
		scalar(3, "intValue", kindInt64),
		scalar(4, "doubleValue", kindDouble),
		one(5, "arrayValue", p.array),
		one(6, "kvlistValue", p.kvlist),
		scalar(7, "bytesValue", kindBytes),
		scalar(8, "stringValueStrindex", kindInt32))

	entityRef := newMessage("EntityRef",
		scalar(1, "schemaUrl", kindString), scalar(2, "type", kindString),
		list(3, "idKeys", kindString), list(4, "descriptionKeys", kindString))
	p.resource = newMessage("Resource",
		p.attributes(1, "attributes"), scalar(2, "droppedAttributesCount", kindUint32),
		many(3, "entityRefs", entityRef))
	p.scope = newMessage("InstrumentationScope",
		scalar(1, "name", kindString), scalar(2, "version", kindString),
		p.attributes(3, "attributes"), scalar(4, "droppedAttributesCount", kindUint32))
}

func (p *protocol) attributes(number uint32, name string) *field {
	return many(number, name, p.keyValue)
}

// request makes the two levels that the three signals share.
func (p *protocol) request(name, resources, scopes string, scope *message) *message {
	perResource := newMessage("Resource"+name,
		one(1, "resource", p.resource).wide(2),
		many(2, scopes, scope).wide(3),
		scalar(3, "schemaUrl", kindString))
	perResource.legacy = &field{number: legacyNumber, kind: kindMessage, wire: wireLen, repeated: true, message: scope, name: "instrumentationLibrary" + name}
	return newMessage("Export"+name+"ServiceRequest", many(1, resources, perResource).wide(3))
}

func (p *protocol) trace() {
	p.event = newMessage("Event",
		scalar(1, "timeUnixNano", kindFixed64), scalar(2, "name", kindString),
		p.attributes(3, "attributes"), scalar(4, "droppedAttributesCount", kindUint32))
	p.link = newMessage("Link",
		scalar(1, "traceId", kindID16), scalar(2, "spanId", kindID8), scalar(3, "traceState", kindString),
		p.attributes(4, "attributes"), scalar(5, "droppedAttributesCount", kindUint32), scalar(6, "flags", kindFixed32))
	status := newMessage("Status",
		scalar(2, "message", kindString),
		enum(3, "code", []string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}))
	spanKinds := []string{
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER",
		"SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER",
	}
	span := newMessage("Span",
		scalar(1, "traceId", kindID16).as(roleTraceID),
		scalar(2, "spanId", kindID8).as(roleSpanID),
		scalar(3, "traceState", kindString),
		scalar(4, "parentSpanId", kindID8),
		scalar(16, "flags", kindFixed32),
		scalar(5, "name", kindString),
		enum(6, "kind", spanKinds),
		scalar(7, "startTimeUnixNano", kindFixed64).as(roleStart),
		scalar(8, "endTimeUnixNano", kindFixed64).as(roleEnd),
		p.attributes(9, "attributes"),
		scalar(10, "droppedAttributesCount", kindUint32),
		many(11, "events", p.event),
		scalar(12, "droppedEventsCount", kindUint32),
		many(13, "links", p.link),
		scalar(14, "droppedLinksCount", kindUint32),
		one(15, "status", status))
	span.span = true
	p.scopeSpans = newMessage("ScopeSpans",
		one(1, "scope", p.scope),
		many(2, "spans", span).as(roleItem).wide(2),
		scalar(3, "schemaUrl", kindString))
	p.traces = p.request("Spans", "resourceSpans", "scopeSpans", p.scopeSpans)
}

func (p *protocol) log() {
	record := newMessage("LogRecord",
		scalar(1, "timeUnixNano", kindFixed64),
		scalar(11, "observedTimeUnixNano", kindFixed64),
		enum(2, "severityNumber", severities()),
		scalar(3, "severityText", kindString),
		one(5, "body", p.anyValue),
		p.attributes(6, "attributes"),
		scalar(7, "droppedAttributesCount", kindUint32),
		scalar(8, "flags", kindFixed32),
		scalar(9, "traceId", kindID16),
		scalar(10, "spanId", kindID8),
		scalar(12, "eventName", kindString))
	p.scopeLogs = newMessage("ScopeLogs",
		one(1, "scope", p.scope),
		many(2, "logRecords", record).as(roleItem).wide(2),
		scalar(3, "schemaUrl", kindString))
	p.logs = p.request("Logs", "resourceLogs", "scopeLogs", p.scopeLogs)
}

func severities() []string {
	names := []string{"SEVERITY_NUMBER_UNSPECIFIED"}
	for _, level := range []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"} {
		names = append(names, "SEVERITY_NUMBER_"+level)
		for n := 2; n <= 4; n++ {
			names = append(names, "SEVERITY_NUMBER_"+level+strconv.Itoa(n))
		}
	}
	return names
}
