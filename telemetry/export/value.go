package export

import (
	"encoding/json"
	"math"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/semconv"
)

// value is why somebody would want to see a trace, the greater the more.
type value uint8

const (
	ordinary value = iota
	slow           // a span took slowAfter or longer
	unlike         // what a search found is little like the question
	disliked       // a run of it was judged badly
	failing        // a span has the status of an error
)

const (
	slowAfter = 10 * time.Second
	// unlikeBelow is the mean similarity below which a search found little.
	unlikeBelow = 0.5
)

// Field numbers that only the value of a span needs.
const (
	spanStart      = 7
	spanEnd        = 8
	spanStatus     = 15
	statusCode     = 3
	statusError    = 2
	anyValueDouble = 4
)

// valueOf looks at one span alone.
func valueOf(span []byte) value {
	var start, end uint64
	failed := false
	scores, scored := 0.0, 0
	score := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			scores += v
			scored++
		}
	}
	for b := span; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			break
		}
		m := protowire.ConsumeFieldValue(number, kind, b[n:])
		if m < 0 {
			break
		}
		switch {
		case number == spanStart && kind == protowire.Fixed64Type:
			start, _ = protowire.ConsumeFixed64(b[n:])
		case number == spanEnd && kind == protowire.Fixed64Type:
			end, _ = protowire.ConsumeFixed64(b[n:])
		case number == spanStatus && kind == protowire.BytesType:
			status, _ := protowire.ConsumeBytes(b[n:])
			failed = failed || varintField(status, statusCode) == statusError
		case number == spanAttributes && kind == protowire.BytesType:
			attribute, _ := protowire.ConsumeBytes(b[n:])
			scoresIn(attribute, score)
		}
		b = b[n+m:]
	}
	switch {
	case failed:
		return failing
	case scored > 0 && scores/float64(scored) < unlikeBelow:
		return unlike
	case end > start && end-start >= uint64(slowAfter):
		return slow
	}
	return ordinary
}

// scoresIn tells the scores of documents that an attribute holds, in the words of
// OpenInference, the semantic conventions and LangSmith.
func scoresIn(attribute []byte, tell func(float64)) {
	key := string(lastField(attribute, keyValueKey))
	value := lastField(attribute, keyValueValue)
	switch {
	case strings.HasPrefix(key, semconv.OIDocuments+".") && strings.HasSuffix(key, ".document.score"):
		if bits, there := fixedField(value, anyValueDouble); there {
			tell(math.Float64frombits(bits))
		}
	case key == semconv.TreqSimilarity:
		if bits, there := fixedField(value, anyValueDouble); there {
			tell(math.Float64frombits(bits))
		}
	case key == semconv.GenAIRetrievalDocuments:
		var found []struct{ Score *float64 }
		if json.Unmarshal(lastField(value, anyValueString), &found) == nil {
			for _, d := range found {
				if d.Score != nil {
					tell(*d.Score)
				}
			}
		}
	case key == semconv.GenAICompletion:
		text := lastField(value, anyValueString)
		if !strings.Contains(string(text[:min(len(text), 64)]), "documents") {
			return
		}
		var outputs struct {
			Documents []struct{ Metadata struct{ Score *float64 } }
		}
		if json.Unmarshal(text, &outputs) == nil {
			for _, d := range outputs.Documents {
				if d.Metadata.Score != nil {
					tell(*d.Metadata.Score)
				}
			}
		}
	}
}

func varintField(message []byte, field protowire.Number) (v uint64) {
	eachScalar(message, func(number protowire.Number, kind protowire.Type, b []byte) {
		if number == field && kind == protowire.VarintType {
			v, _ = protowire.ConsumeVarint(b)
		}
	})
	return v
}

func fixedField(message []byte, field protowire.Number) (v uint64, there bool) {
	eachScalar(message, func(number protowire.Number, kind protowire.Type, b []byte) {
		if number == field && kind == protowire.Fixed64Type {
			v, _ = protowire.ConsumeFixed64(b)
			there = true
		}
	})
	return v, there
}

func eachScalar(message []byte, visit func(protowire.Number, protowire.Type, []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		m := protowire.ConsumeFieldValue(number, kind, message[n:])
		if m < 0 {
			return
		}
		visit(number, kind, message[n:n+m])
		message = message[n+m:]
	}
}
