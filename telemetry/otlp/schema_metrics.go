package otlp

func (p *protocol) metric() {
	temporality := func() *field {
		return enum(2, "aggregationTemporality", []string{
			"AGGREGATION_TEMPORALITY_UNSPECIFIED", "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE",
		})
	}
	points := func(m *message) *field { return many(1, "dataPoints", m).as(roleItem) }
	start := func() *field { return scalar(2, "startTimeUnixNano", kindFixed64) }
	at := func() *field { return scalar(3, "timeUnixNano", kindFixed64) }

	exemplar := newMessage("Exemplar",
		p.attributes(7, "filteredAttributes"), scalar(2, "timeUnixNano", kindFixed64),
		scalar(3, "asDouble", kindDouble), scalar(6, "asInt", kindSfixed64),
		scalar(4, "spanId", kindID8), scalar(5, "traceId", kindID16))
	number := newMessage("NumberDataPoint",
		p.attributes(7, "attributes"), start(), at(),
		scalar(4, "asDouble", kindDouble), scalar(6, "asInt", kindSfixed64),
		many(5, "exemplars", exemplar), scalar(8, "flags", kindUint32))
	histogram := newMessage("HistogramDataPoint",
		p.attributes(9, "attributes"), start(), at(),
		scalar(4, "count", kindFixed64), scalar(5, "sum", kindDouble),
		list(6, "bucketCounts", kindFixed64), list(7, "explicitBounds", kindDouble),
		many(8, "exemplars", exemplar), scalar(10, "flags", kindUint32),
		scalar(11, "min", kindDouble), scalar(12, "max", kindDouble))
	buckets := newMessage("Buckets",
		scalar(1, "offset", kindSint32), list(2, "bucketCounts", kindUint64))
	exponential := newMessage("ExponentialHistogramDataPoint",
		p.attributes(1, "attributes"), start(), at(),
		scalar(4, "count", kindFixed64), scalar(5, "sum", kindDouble),
		scalar(6, "scale", kindSint32), scalar(7, "zeroCount", kindFixed64),
		one(8, "positive", buckets), one(9, "negative", buckets),
		scalar(10, "flags", kindUint32), many(11, "exemplars", exemplar),
		scalar(12, "min", kindDouble), scalar(13, "max", kindDouble),
		scalar(14, "zeroThreshold", kindDouble))
	quantile := newMessage("ValueAtQuantile",
		scalar(1, "quantile", kindDouble), scalar(2, "value", kindDouble))
	summary := newMessage("SummaryDataPoint",
		p.attributes(7, "attributes"), start(), at(),
		scalar(4, "count", kindFixed64), scalar(5, "sum", kindDouble),
		many(6, "quantileValues", quantile), scalar(8, "flags", kindUint32))

	metric := newMessage("Metric",
		scalar(1, "name", kindString), scalar(2, "description", kindString), scalar(3, "unit", kindString),
		one(5, "gauge", newMessage("Gauge", points(number))),
		one(7, "sum", newMessage("Sum", points(number), temporality(), scalar(3, "isMonotonic", kindBool))),
		one(9, "histogram", newMessage("Histogram", points(histogram), temporality())),
		one(10, "exponentialHistogram", newMessage("ExponentialHistogram", points(exponential), temporality())),
		one(11, "summary", newMessage("Summary", points(summary))),
		p.attributes(12, "metadata"))
	scopeMetrics := newMessage("ScopeMetrics",
		one(1, "scope", p.scope),
		many(2, "metrics", metric).wide(2),
		scalar(3, "schemaUrl", kindString))
	p.metrics = p.request("Metrics", "resourceMetrics", "scopeMetrics", scopeMetrics)
}
