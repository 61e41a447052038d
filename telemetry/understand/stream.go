package understand

import (
	"bytes"
	"math"
	"time"

	"treq/telemetry"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// stream reads whether the call answered in pieces, when the first came, and
// whether the last did.
func (r *Reader) stream(sp *otlp.Span, out *Span, streams bool) {
	c := &out.Call
	first, pieces := r.firstPiece(sp, out)
	told, isTold := r.toldFirstToken(out)
	if isTold {
		first = told
	}
	c.TimeToFirstToken = first
	reason := r.finish()
	if reason == finishFailed && sp.Status == otlp.StatusUnset && out.Outcome == telemetry.Succeeded {
		// The model's own word that it failed, where nobody set a status.
		out.Outcome, out.ErrorType = telemetry.Failed, otherError
	}
	if !streams && !pieces && first == 0 && !out.Flags.Has(Aborted) {
		return
	}
	out.Flags |= Streamed
	if reason == finishFailed || reason == finishBroken || pieces && reason == finishUntold && !c.HasUsage {
		// Pieces came, and neither the reason nor the usage that the last one tells.
		out.Flags |= Aborted
	}
}

// toldFirstToken reads the time to the first token that attributes tell, in
// whatever unit; false if none does. 0 is a value that was refused.
func (r *Reader) toldFirstToken(out *Span) (time.Duration, bool) {
	for _, u := range [...]struct {
		field field
		unit  time.Duration
	}{{fFirstChunk, time.Second}, {fFirstChunkMS, time.Millisecond}, {fFirstChunkNS, time.Nanosecond}} {
		if !r.has(u.field) {
			continue
		}
		n, ok := r.value[u.field].Number()
		if d := n * float64(u.unit); ok && d >= 0 && d <= float64(longestWait) {
			return time.Duration(math.Round(d)), true
		}
		r.rejected.count(badDuration)
		return 0, true
	}
	if t := bytes.Trim(r.text(fFirstTokenAt), `"`); len(t) > 0 {
		at, err := time.Parse(time.RFC3339Nano, string(t))
		if err != nil {
			r.rejected.count(badDuration)
			return 0, true
		}
		return wait(out, at.UnixNano()), true
	}
	return 0, false
}

// longestWait is the longest time to a first token that is believed.
const longestWait = time.Hour

// wait gives the time from the span's start to a moment, 0 if that is no time to wait.
func wait(out *Span, at int64) time.Duration {
	if at <= out.Start || at-out.Start > int64(longestWait) {
		return 0
	}
	return time.Duration(at - out.Start)
}

// firstPiece reads when the first of the events came that tell of a piece of the
// answer. pieces tells whether any did of an instrumentation of the client that
// receives them, which also tells how the answer ended.
func (r *Reader) firstPiece(sp *otlp.Span, out *Span) (first time.Duration, pieces bool) {
	sp.EachEvent(func(e *otlp.Event) bool {
		switch string(e.Name) {
		case semconv.EventNewToken, semconv.EventAIFirstChunk:
		case semconv.EventCompletionChunk, semconv.EventTLChunk, semconv.EventOIFirstToken:
			pieces = true
		default:
			return true
		}
		if at := wait(out, int64(min(e.Time, math.MaxInt64))); at > 0 && (first == 0 || at < first) {
			first = at
		}
		return true
	})
	return first, pieces
}

// inPieces tells whether an output is put together from pieces: LangChain and
// OpenAI name the type of message that only streams have. The names stand in
// quotes that an answer's own text would have escaped.
func inPieces(output []byte, budget int) bool {
	output = output[:min(len(output), budget)]
	return bytes.Contains(output, []byte(`"AIMessageChunk"`)) || bytes.Contains(output, []byte(`"chat.completion.chunk"`))
}

// finishReason is what the finish reasons of a call say together.
type finishReason uint8

const (
	finishUntold finishReason = iota
	finishWell
	finishBroken // cut off by whoever asked
	finishFailed
)

// finish reads the finish reasons: an array in most dialects, words between
// commas in LangSmith's. The worst counts.
func (r *Reader) finish() (worst finishReason) {
	if !r.has(fFinish) {
		return finishUntold
	}
	v := r.value[fFinish]
	if v.Type == otlp.Array {
		otlp.EachElement(v, func(e otlp.Value) bool {
			worst = max(worst, finishOf(e.Bytes))
			return true
		})
		return worst
	}
	for part := range bytes.SplitSeq(v.Bytes, []byte(",")) {
		worst = max(worst, finishOf(bytes.TrimSpace(part)))
	}
	return worst
}

func finishOf(reason []byte) finishReason {
	switch string(reason) {
	case "":
		return finishUntold
	case "error":
		return finishFailed
	case "aborted", "abort", "cancelled", "canceled":
		return finishBroken
	}
	return finishWell
}
