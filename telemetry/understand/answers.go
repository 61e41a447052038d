package understand

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/zeebo/xxh3"
)

// answerBegins is how clients that tell the provider's whole answer begin it.
var answerBegins = []byte(`{"id":"`)

// mostAnswerID bounds the bytes of an answer's id.
const mostAnswerID = 128

// answer reads the id that the provider gave the answer: as an attribute, or at the
// start of the answer itself, where OpenInference has it.
func (r *Reader) answer() uint32 {
	id := r.text(fResponseID)
	if id == nil {
		rest, told := bytes.CutPrefix(r.text(fOutputJSON), answerBegins)
		if !told {
			return 0
		}
		n := bytes.IndexByte(rest[:min(len(rest), mostAnswerID)], '"')
		if n <= 0 || rest[n-1] == '\\' {
			return 0
		}
		id = rest[:n]
	}
	const told = 1
	return uint32(xxh3.Hash(id)) | told
}

// answers finds the calls that several instrumentations tell of under the id of one
// answer: however far apart they see its ends, and whatever they make of its usage, a
// provider answers once under an id. Of two calls the one that tells more is the call; one
// beside a span that wraps a call of its own is none.
func (s *settling) answers(t *trace) {
	s.slots = s.slots[:0]
	for i := range s.nodes {
		if n := &s.nodes[i]; (n.role == call || n.role == wrapper) && n.span.Call.Answer != 0 {
			s.slots = append(s.slots, int32(i))
		}
	}
	slices.SortFunc(s.slots, func(x, y int32) int {
		a, b := s.nodes[x].span, s.nodes[y].span
		if a.Call.Answer != b.Call.Answer {
			return cmp.Compare(a.Call.Answer, b.Call.Answer)
		}
		return order(a, b)
	})
	for k, x := range s.slots {
		a := &s.nodes[x]
		for j := range t.calls {
			if a.role == call && t.calls[j].answered(a.span) {
				a.role = double
			}
		}
		own := keptOf(a.span)
		for _, y := range s.slots[k+1 : min(len(s.slots), k+1+mostRivals)] {
			b := &s.nodes[y]
			if b.span.Call.Answer != a.span.Call.Answer {
				break
			}
			if !own.answered(b.span) || a.span.Kind != b.span.Kind || s.over(x, y) || s.over(y, x) {
				continue
			}
			switch {
			case a.role == call && (b.role == wrapper || b.role == call && saysMore(b.span, a.span)):
				a.role = double
			case b.role == call && (a.role == wrapper || a.role == call):
				b.role = double
			}
		}
	}
}

// answered tells whether a span of another instrumentation is of the same answer, at
// the same time: a cache may give an answer again.
func (k *keptCall) answered(s *held) bool {
	return k.answer != 0 && k.answer == s.Call.Answer && k.Scope != s.Scope && k.Service == s.Service &&
		k.start <= s.End && s.Start <= k.end
}

// saysMore tells whether of two spans of one call the second says more than the first:
// usage, then when the first token came, then it began later, nearer to the request.
func saysMore(a, than *held) bool {
	x, y := a.Call, than.Call
	if x.HasUsage != y.HasUsage {
		return x.HasUsage
	}
	if first := x.TimeToFirstToken != 0; first != (y.TimeToFirstToken != 0) {
		return first
	}
	return order(a, than) > 0
}
