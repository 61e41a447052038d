package cases

import (
	"maps"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"treq/telemetry/understand"
	"treq/test/recorded"
)

// TestExplanationsAddUp: of every trace of every case, what the explanations say
// that its spans counted is what the engine counted, each span is explained once,
// with a sentence, and twice the same.
func TestExplanationsAddUp(t *testing.T) {
	for _, c := range told(t) {
		t.Run(c.Name, func(t *testing.T) {
			want := play(t, &c)
			want.Truth.Feedback = nil // judgements come beside spans, and explain none
			got := newWitness()
			var records []understand.Record
			for _, request := range c.Requests {
				records = append(records, understand.Record{Admitted: epoch, Body: request})
			}
			traces := map[[16]byte]int{}
			for _, p := range piecesOf(t, &c) {
				traces[[16]byte(p.span.TraceId)]++
			}
			for trace, spans := range traces {
				explained, err := understand.ExplainTrace(configOf(t, &c), trace, records)
				if err != nil {
					t.Fatal(err)
				}
				if len(explained) != spans {
					t.Errorf("%d spans, %d explained", spans, len(explained))
				}
				once, err := understand.ExplainTrace(configOf(t, &c), trace, records)
				if diff := gocmp.Diff(once, explained); diff != "" || err != nil {
					t.Errorf("explained otherwise (-once +again, %v):\n%s", err, diff)
				}
				for i := range explained {
					tell(t, got, &explained[i])
				}
			}
			// What is scattered over traces is a chat's, but no span's.
			got.settle()
			for i := range min(len(got.Chats), len(want.Chats)) {
				if c.Settings == nil {
					break
				}
				got.Chats[i].LLMCalls, got.Chats[i].Tokens = want.Chats[i].LLMCalls, want.Chats[i].Tokens
			}
			if diff := difference(want.Truth, got.Truth); diff != "" {
				t.Errorf("(-counted +explained):\n%s", diff)
			}
			if !maps.Equal(want.dispositions, got.dispositions) {
				t.Errorf("%v counted, %v explained", want.dispositions, got.dispositions)
			}
		})
	}
}

// tell tells a witness what an explanation says that a span counted.
func tell(t *testing.T, w *witness, s *understand.SpanExplanation) {
	t.Helper()
	w.Span(s.Disposition, s.Reason, s.Service, 1)
	if s.Why == "" || s.Name == "" || s.Kind == "" {
		t.Errorf("an explanation without words: %+v", s)
	}
	if s.CountedChat != nil {
		w.Chat(s.CountedChat)
		if s.Chat != s.SpanID {
			t.Errorf("the entry %x is part of the chat of %x", s.SpanID, s.Chat)
		}
	}
	if s.CountedLLMCall != nil {
		w.LLMCall(s.CountedLLMCall)
	}
	if s.CountedRetrieval != nil {
		w.Retrieval(s.CountedRetrieval)
	}
	if s.CountedEmbedding != nil {
		w.Embedding(s.CountedEmbedding)
	}
	if s.CountedRerank != nil {
		w.Rerank(s.CountedRerank)
	}
	if s.CountedTool != nil {
		w.ToolCall(s.CountedTool)
	}
}

// TestExplainsDuplicatesAndOtherTraces: a span that was told again is explained as
// told before, and spans of other traces are left out.
func TestExplainsDuplicatesAndOtherTraces(t *testing.T) {
	var c recorded.Case
	for _, c = range told(t) {
		if c.Name == "manual-1.40-rag" {
			break
		}
	}
	records := []understand.Record{{Admitted: epoch, Body: c.Requests[0]}, {Admitted: epoch, Body: c.Requests[0]}}
	trace := [16]byte(piecesOf(t, &c)[0].span.TraceId)
	explained, err := understand.ExplainTrace(understand.DefaultConfig(), trace, records)
	if err != nil {
		t.Fatal(err)
	}
	n := len(explained) / 2
	for i, s := range explained {
		if told := s.Why == "It was told before."; told != (i >= n) {
			t.Errorf("span %d of %d: %s", i, len(explained), s.Why)
		}
	}
	if none, err := understand.ExplainTrace(understand.DefaultConfig(), [16]byte{1}, records); err != nil || len(none) > 0 {
		t.Errorf("of a trace that is not there: %v, %v", none, err)
	}
	records[0].Body = []byte("no protobuf")
	if _, err := understand.ExplainTrace(understand.DefaultConfig(), trace, records); err == nil {
		t.Error("a body that does not decode was explained")
	}
}
