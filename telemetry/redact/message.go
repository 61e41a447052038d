package redact

// part says what to do with a length-delimited field of an OTLP message.
type part uint8

const (
	skipped    part = iota
	nested          // a message that holds text
	text            // text
	status          // text of an error's message
	keyValue        // a KeyValue
	anyValue        // an AnyValue
	logContent      // the AnyValue of a log's body
)

// message is what of a message of the protocol matters here: its length-delimited
// fields by number. Numbers up to 13 suffice; legacy is the field 1000.
type message struct {
	parts  [16]part
	inner  [16]*message
	legacy *message
}

func (m *message) add(number int, p part, inner *message) *message {
	m.parts[number], m.inner[number] = p, inner
	return m
}

// at gives what to do with a field.
func (m *message) at(number uint64) (part, *message) {
	if number < uint64(len(m.parts)) {
		return m.parts[number], m.inner[number]
	}
	if number == 1000 && m.legacy != nil {
		return nested, m.legacy
	}
	return skipped, nil
}

// requests holds the export requests of opentelemetry-proto 1.11.
var requests = func() (r struct{ traces, logs, metrics *message }) {
	attributes := func(number int) *message { return (&message{}).add(number, keyValue, nil) }
	resource, scope := attributes(1), attributes(3)
	request := func(inner *message) *message {
		per := (&message{legacy: inner}).add(1, nested, resource).add(2, nested, inner)
		return (&message{}).add(1, nested, per)
	}
	items := func(item *message) *message { return (&message{}).add(1, nested, scope).add(2, nested, item) }

	event := attributes(3).add(2, text, nil)
	link := attributes(4)
	outcome := (&message{}).add(2, status, nil)
	r.traces = request(items(attributes(9).add(5, text, nil).add(11, nested, event).add(13, nested, link).add(15, nested, outcome)))
	r.logs = request(items(attributes(6).add(5, logContent, nil)))

	exemplar := attributes(7)
	data := func(point *message) *message { return (&message{}).add(1, nested, point) }
	number := data(attributes(7).add(5, nested, exemplar))
	r.metrics = request(items((&message{}).add(2, text, nil).
		add(5, nested, number).add(7, nested, number).
		add(9, nested, data(attributes(9).add(8, nested, exemplar))).
		add(10, nested, data(attributes(1).add(11, nested, exemplar))).
		add(11, nested, data(attributes(7))).
		add(12, keyValue, nil)))
	return r
}()
