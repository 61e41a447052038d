package otlp

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Signal is one of the three kinds of request.
type Signal uint8

// The signals.
const (
	TracesSignal Signal = iota
	LogsSignal
	MetricsSignal
)

// Partial is what an export response tells of a request that was accepted in part,
// or with a warning (nothing rejected, a message). The zero value is full success.
type Partial struct {
	Rejected int64 // spans, log records or data points
	Message  string
}

// AppendResponse appends an encoded Export…ServiceResponse, which is the same for
// every signal and empty for full success.
func AppendResponse(dst []byte, p Partial) []byte {
	if p == (Partial{}) {
		return dst
	}
	dst, at := openMessage(dst, 1, 1)
	if p.Rejected != 0 {
		dst = appendNumber(dst, 1, uint64(p.Rejected))
	}
	if p.Message != "" {
		dst = appendText(dst, 2, strings.ToValidUTF8(p.Message, "\uFFFD"))
	}
	return closeMessage(dst, at, 1)
}

// AppendResponseJSON appends the response as OTLP/JSON: "{}" for full success.
func AppendResponseJSON(dst []byte, signal Signal, p Partial) []byte {
	if p == (Partial{}) {
		return append(dst, "{}"...)
	}
	dst = append(dst, `{"partialSuccess":{`...)
	if p.Rejected != 0 {
		dst = append(dst, `"rejected`...)
		dst = append(dst, [...]string{"Spans", "LogRecords", "DataPoints"}[signal]...)
		dst = append(dst, `":"`...)
		dst = append(strconv.AppendInt(dst, p.Rejected, 10), '"')
	}
	if p.Message != "" {
		if p.Rejected != 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(append(dst, `"errorMessage":`...), p.Message)
	}
	return append(dst, "}}"...)
}

const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo"

// AppendStatus appends an encoded google.rpc.Status, the body of every refusal. Code
// is a gRPC code. A retry above 0 adds a RetryInfo with that delay.
func AppendStatus(dst []byte, code uint32, text string, retry time.Duration) []byte {
	if code != 0 {
		dst = appendNumber(dst, 1, uint64(code))
	}
	if text != "" {
		dst = appendText(dst, 2, strings.ToValidUTF8(text, "\uFFFD"))
	}
	if retry <= 0 {
		return dst
	}
	dst, at := openMessage(dst, 3, 1)
	dst = appendText(dst, 1, retryInfoType)
	dst, info := openMessage(dst, 2, 1)
	dst, delay := openMessage(dst, 1, 1)
	if seconds := retry / time.Second; seconds != 0 {
		dst = appendNumber(dst, 1, uint64(seconds))
	}
	if nanos := retry % time.Second; nanos != 0 {
		dst = appendNumber(dst, 2, uint64(nanos))
	}
	return closeMessage(closeMessage(closeMessage(dst, delay, 1), info, 1), at, 1)
}

// AppendStatusJSON appends the status as JSON.
func AppendStatusJSON(dst []byte, code uint32, text string, retry time.Duration) []byte {
	dst = strconv.AppendUint(append(dst, `{"code":`...), uint64(code), 10)
	dst = appendQuoted(append(dst, `,"message":`...), text)
	if retry > 0 {
		dst = append(dst, `,"details":[{"@type":"`+retryInfoType+`","retryDelay":"`...)
		dst = strconv.AppendFloat(dst, retry.Seconds(), 'f', -1, 64)
		dst = append(dst, `s"}]`...)
	}
	return append(dst, '}')
}

func appendQuoted(dst []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		return append(dst, `""`...) // a string always marshals
	}
	return append(dst, quoted...)
}
