package otlp

// LogData is a log record to be encoded. Zero fields are left out.
type LogData struct {
	Time       uint64 // Unix nanoseconds
	Observed   uint64 // Unix nanoseconds
	EventName  string
	Body       KV // its key is not encoded
	Attributes []KV
	TraceID    [16]byte
	SpanID     [8]byte
}

// AppendLogsRequest appends an encoded ExportLogsServiceRequest with one resource, one scope
// and these records. Requests concatenate: appending to one adds to it.
func AppendLogsRequest(dst []byte, resource []KV, scope string, records ...LogData) []byte {
	dst, at := openMessage(dst, 1, 2)
	dst = appendResource(dst, resource)
	dst, inner := openMessage(dst, 2, 2)
	dst = appendScope(dst, scope, "")
	for i := range records {
		var record int
		dst, record = openMessage(dst, 2, 2)
		dst = closeMessage(appendLogRecord(dst, &records[i]), record, 2)
	}
	return closeMessage(closeMessage(dst, inner, 2), at, 2)
}

func appendLogRecord(dst []byte, r *LogData) []byte {
	if r.Time != 0 {
		dst = appendFixed64(dst, 1, r.Time)
	}
	if r.Body.value.Type != Empty {
		dst = appendValue(dst, 5, &r.Body)
	}
	dst = appendKeyValues(dst, 6, r.Attributes)
	dst = appendID(dst, 9, r.TraceID[:])
	dst = appendID(dst, 10, r.SpanID[:])
	if r.Observed != 0 {
		dst = appendFixed64(dst, 11, r.Observed)
	}
	if r.EventName != "" {
		dst = appendText(dst, 12, r.EventName)
	}
	return dst
}
