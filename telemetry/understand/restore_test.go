package understand

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// TestRestoreChangesNothing: an engine that is replaced by its restored state at
// any point tells the same events in the same order.
func TestRestoreChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := slices.Concat(traceOf(t, 1), traceOf(t, 2), traceOf(t, 3))
		at := time.Duration(0)
		for i := range steps {
			at += time.Duration(rapid.SampledFrom([]int{0, 0, 1, 7, 40, 400}).Draw(t, "pause")) * time.Second
			steps[i].at = at
		}
		posts := rapid.SliceOfN(rapid.IntRange(0, len(steps)-1), 0, 3).Draw(t, "posts")
		cut := rapid.IntRange(0, len(steps)).Draw(t, "cut")
		run := func(cut int) string {
			rec := &transcript{epoch: epoch.UnixNano()}
			e, err := New(DefaultConfig(), rec)
			if err != nil {
				t.Fatal(err)
			}
			for i := range steps {
				if i == cut {
					e = restored(t, e, rec)
				}
				if err := e.Traces(epoch.Add(steps[i].at), 0, steps[i].request()); err != nil {
					t.Fatal(err)
				}
				for _, p := range posts {
					if p != i {
						continue
					}
					post := step{post: &otlp.LogData{EventName: "treq.chat", Attributes: []otlp.KV{
						otlp.Flag("treq.success", true), otlp.I64("treq.llm.tokens", 30),
						otlp.Str("treq.run.id", fmt.Sprintf("%x", steps[i].span.SpanID)),
					}}}
					if err := e.Logs(epoch.Add(steps[i].at), post.request()); err != nil {
						t.Fatal(err)
					}
				}
			}
			e.Flush()
			rec.addf("%v %+v", e.Entries(), e.Stats().ChatsFromTraces)
			return rec.String()
		}
		if diff := cmp.Diff(run(-1), run(cut)); diff != "" {
			t.Fatalf("restored before step %d (-without +with):\n%s", cut, diff)
		}
	})
}

type fataler interface{ Fatal(...any) }

func restored(t fataler, e *Engine, rec telemetry.Recorder) *Engine {
	state, err := e.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(e.config, rec)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if err := r.Horizon().Load(e.Horizon().Export(nil, 0)); err != nil {
		t.Fatal(err)
	}
	again, err := r.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(state) {
		t.Fatal("the restored state encodes otherwise")
	}
	return r
}

func FuzzUnmarshal(f *testing.F) {
	script := parseScript(f, `
chain rag 0-1000 #1
  retriever r 1-2 output.value='{"documents":[{"score":0.5}]}'
  llm gpt 10-900 #2 llm.model_name=gpt-4o llm.token_count.total=5
trace 2
chain rag 0-1000 ^99
  tool t 1-2 tool.name=x
llm gpt 0-1000 ^98 llm.model_name=a
post treq.chat treq.success=true treq.run.id='abc'
post treq.feedback treq.run.id='abc' treq.feedback.score=1
at 10s
trace 1
llm gpt 0-10 ^2
`)
	e, _ := newEngine(f, script.config)
	play(f, e, script.steps)
	state, err := e.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, data []byte) {
		e, rec := newEngine(t, DefaultConfig())
		if e.UnmarshalBinary(data) != nil {
			return
		}
		open := e.Open()
		e.Flush()
		if e.Open() != 0 {
			t.Errorf("%d of %d spans stay open", e.Open(), open)
		}
		_ = rec.String()
	})
}

// TestStateIsWrittenInPieces: however much is open, no more than a piece of it is encoded
// at a time.
func TestStateIsWrittenInPieces(t *testing.T) {
	e, _ := newEngine(t, DefaultConfig())
	for i := range 255 {
		text := fmt.Sprintf("trace %d\nchain rag 0-1000 #1\n", i+1) + strings.Repeat("  llm gpt 10-900 llm.model_name=gpt-4o\n", 20)
		play(t, e, parseScript(t, text).steps)
	}
	var w pieces
	if err := e.WriteState(&w); err != nil {
		t.Fatal(err)
	}
	if w.whole < 6*stateChunk || w.largest > 2*stateChunk {
		t.Errorf("%d bytes were written in pieces of up to %d", w.whole, w.largest)
	}
}

// pieces counts what is written to it.
type pieces struct{ whole, largest int }

func (p *pieces) Write(b []byte) (int, error) {
	p.whole += len(b)
	p.largest = max(p.largest, len(b))
	return len(b), nil
}

// TestAStateOfTheVersionBeforeIsRestored: testdata/state-2.bin was written by an engine
// that had taken these spans and knew no ids of answers.
func TestAStateOfTheVersionBeforeIsRestored(t *testing.T) {
	s := parseScript(t, `chain question 0-2000 #1
scope tl
  llm ask 100-900 gen_ai.request.model=claude gen_ai.usage.input_tokens=10 gen_ai.usage.output_tokens=5
at 10s
scope sdk
llm later 160-840 ^1 gen_ai.request.model=gpt-4o gen_ai.usage.input_tokens=7 gen_ai.usage.output_tokens=6
`)
	whole, want := newEngine(t, s.config)
	play(t, whole, s.steps)
	told := len(want.lines)
	whole.Flush()

	state, err := os.ReadFile("testdata/state-2.bin")
	if err != nil {
		t.Fatal(err)
	}
	old, got := newEngine(t, s.config)
	if err := old.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	old.Flush()
	if diff := cmp.Diff(want.lines[told:], got.lines); diff != "" || len(got.lines) == 0 {
		t.Errorf("(-not +restored):\n%s", diff)
	}
	state[0] = 1
	if err := old.UnmarshalBinary(state); telemetry.KindOf(err) != telemetry.Invalid {
		t.Errorf("a state of version 1 is taken: %v", err)
	}
}
