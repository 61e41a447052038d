package export

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
	"treq/test/recorded"
)

// runsStand runs f with a sink of profile langsmith towards l, then stops it.
func runsStand(t *testing.T, l *langSmith, c Config, fill func(s *stand), f func(s *stand, sink *Sink)) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, journal.Options{})
		fill(s)
		c.Name, c.Profile, c.Endpoint, c.APIKey = "langsmith", "langsmith", "http://langsmith.test/", secret("lsv2_ours")
		d := s.deps(nil)
		d.Transport = l
		sink, err := New(c, d)
		if err != nil {
			t.Fatal(err)
		}
		sink.Start()
		defer stop(t, sink)
		time.Sleep(time.Minute)
		synctest.Wait()
		f(s, sink)
	})
}

// appendRuns appends a body as the door does.
func (s *stand) appendRuns(body []byte) int {
	s.t.Helper()
	r, err := langsmith.Read(body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.append(journal.Entry{Kind: journal.Runs, Items: uint32(r.Items()), Body: body})
	return r.Items()
}

// TestRunsArriveAsTheyWouldHave replays what real SDKs sent: a LangSmith behind us
// has, field by field, what it would have had from the SDK itself.
func TestRunsArriveAsTheyWouldHave(t *testing.T) {
	played := 0
	for _, c := range recorded.Load(t) {
		natives := slices.DeleteFunc(slices.Clone(c.Native), func(n recorded.Native) bool { return !strings.Contains(n.Path, "/runs") })
		if len(natives) == 0 {
			continue
		}
		played++
		t.Run(c.Name, func(t *testing.T) {
			direct, through := newLangSmith(t, everything), newLangSmith(t, everything)
			items := 0
			runsStand(t, through, Config{}, func(s *stand) {
				for _, n := range natives {
					items += s.appendRuns(n.Body)
					if bytes.HasPrefix(n.Body, []byte("--")) {
						line, _, _ := bytes.Cut(n.Body, []byte("\r\n"))
						direct.multipart("multipart/form-data; boundary="+string(line[2:]), n.Body)
					} else {
						direct.batch(n.Body)
					}
				}
			}, func(_ *stand, sink *Sink) {
				checkAccount(t, sink, account{Admitted: int64(items), Sent: int64(items)})
			})
			if diff := cmp.Diff(direct.runs, through.runs); diff != "" {
				t.Errorf("runs (- direct, + through us):\n%s", diff)
			}
			if diff := cmp.Diff(direct.attached, through.attached); diff != "" {
				t.Errorf("attachments (- direct, + through us):\n%s", diff)
			}
			if len(through.judged) > 0 {
				t.Errorf("judgements %v were told twice: the mirror tells them", through.judged)
			}
			if !slices.Contains(through.requests, "POST /runs/multipart zstd") || slices.ContainsFunc(through.keys, func(k string) bool { return k != "lsv2_ours" }) {
				t.Errorf("requests %v under keys %v", through.requests, through.keys)
			}
		})
	}
	if played < 7 {
		t.Errorf("%d recorded cases have native runs", played)
	}
}

const (
	rootID  = "11111111-1111-4111-8111-111111111111"
	childID = "22222222-2222-4222-8222-222222222222"
	otherID = "33333333-3333-4333-8333-333333333333"
)

func placed(id, root, rest string) string {
	order := "20261122T000000000000Z" + root
	if id != root {
		order += ".20261122T000000000001Z" + id
	}
	return `{"id":"` + id + `","trace_id":"` + root + `","dotted_order":"` + order + `","session_name":"p"` + rest + `}`
}

// TestBatchesAndSinglePosts forwards runs that came in JSON: those that know their place go
// into one multipart body, as the SDK sends them, the others one by one as they came.
func TestBatchesAndSinglePosts(t *testing.T) {
	l := newLangSmith(t, `{"instance_flags":{"gzip_body_enabled":true}}`)
	single := `{"id":"` + otherID + `","name":"alone","inputs":{"q":1}}`
	batch := `{"post":[` + placed(rootID, rootID, `,"inputs":{"q":"oi"},"error":null,"tags":["a"]`) + `],"patch":[` + placed(rootID, rootID, `,"outputs":{"a":2}`) + `]}`
	patch, err := langsmith.ParseID(otherID)
	if err != nil {
		t.Fatal(err)
	}
	runsStand(t, l, Config{}, func(s *stand) {
		s.appendRuns([]byte(batch))
		s.appendRuns(langsmith.AppendPost(nil, []byte(single)))
		s.appendRuns(langsmith.AppendPatch(nil, patch, []byte(`{"outputs":{"a":1}}`)))
	}, func(_ *stand, sink *Sink) {
		checkAccount(t, sink, account{Admitted: 4, Sent: 4})
	})
	want := map[string]map[string]any{
		rootID: {
			"id": rootID, "trace_id": rootID, "dotted_order": "20261122T000000000000Z" + rootID, "session_name": "p",
			"inputs": map[string]any{"q": "oi"}, "outputs": map[string]any{"a": 2.0}, "tags": []any{"a"},
		},
		otherID: {"id": otherID, "name": "alone", "inputs": map[string]any{"q": 1.0}, "outputs": map[string]any{"a": 1.0}},
	}
	if diff := cmp.Diff(want, l.runs); diff != "" {
		t.Error(diff)
	}
	asked := slices.Clone(l.requests)
	slices.Sort(asked)
	if diff := cmp.Diff([]string{"GET /info", "PATCH /runs/" + otherID, "POST /runs", "POST /runs/multipart gzip"}, asked); diff != "" {
		t.Error(diff)
	}
	if l.mostParts != 4 {
		t.Errorf("%d parts; inputs and outputs stand in their own", l.mostParts)
	}
}

// TestWhoGetsWhat sends a sink of the run protocol the runs and no spans made of them,
// and every other sink the spans and no runs.
func TestWhoGetsWhat(t *testing.T) {
	fill := func(s *stand) {
		s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `,` + placed(childID, rootID, "") + `]}`))
		s.append(journal.Entry{Kind: journal.Derived, Items: 2, Body: encode(s.t, ids(1, 2))})
		s.spans(ids(3, 3))
	}
	for protocol, want := range map[string]struct {
		account account
		spans   int
	}{
		"":       {account{Admitted: 5, Sent: 5}, 3},
		Native:   {account{Admitted: 5, Sent: 5}, 3},
		Protobuf: {account{Admitted: 5, Sent: 5}, 5},
	} {
		l := newLangSmith(t, everything)
		runsStand(t, l, Config{Protocol: protocol}, fill, func(_ *stand, sink *Sink) { checkAccount(t, sink, want.account) })
		spans := 0
		for _, request := range l.otlp {
			spans += len(request)
		}
		if spans != want.spans || (len(l.runs) == 2) == (protocol == Protobuf) {
			t.Errorf("%q: %d spans and runs %v", protocol, spans, slices.Collect(maps.Keys(l.runs)))
		}
	}
}

// TestABadRun costs itself: the others of its request arrive, and it is kept with
// the reason. A run that is there already has arrived.
func TestABadRun(t *testing.T) {
	l := newLangSmith(t, everything)
	tries := 0
	l.answer = func(_ *http.Request, body []byte) int {
		tries++
		switch {
		case tries <= 2:
			return http.StatusServiceUnavailable
		case bytes.Contains(body, []byte("poison")):
			return http.StatusUnprocessableEntity
		}
		return http.StatusConflict
	}
	runsStand(t, l, Config{}, func(s *stand) {
		s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `,` + placed(childID, rootID, `,"name":"poison"`) + `,` + placed(otherID, otherID, "") + `]}`))
	}, func(s *stand, sink *Sink) {
		checkAccount(t, sink, account{Admitted: 3, Sent: 2, Dead: 1})
		content, err := os.ReadFile(filepath.Join(s.dir, "sinks", "langsmith.dead"))
		var letter deadLetter
		if err != nil || json.Unmarshal(content, &letter) != nil {
			t.Fatalf("%v: %s", err, content)
		}
		if letter.Encoding != "runs" || letter.Status != 422 || !bytes.Contains(letter.Payload, []byte("poison")) || bytes.Contains(letter.Payload, []byte(otherID)) {
			t.Errorf("%+v", letter)
		}
		if again, _, err := langsmith.Parcels(letter.Payload); err != nil || len(again) != 1 {
			t.Errorf("the letter holds %d runs: %v", len(again), err)
		}
	})
	if len(l.runs) != 2 {
		t.Errorf("%v", l.runs)
	}
}

// TestChosenRuns chooses whole traces of runs, by rate as of spans and by what their
// first operation says.
func TestChosenRuns(t *testing.T) {
	fill := func(s *stand) {
		s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `,` + strings.Replace(placed(otherID, otherID, ""), `"p"`, `"q"`, 1) + `]}`))
		s.appendRuns([]byte(`{"patch":[` + placed(rootID, rootID, `,"end_time":"2026-11-22T00:00:01Z"`) + `,` + placed(childID, rootID, "") + `]}`))
	}
	l := newLangSmith(t, everything)
	runsStand(t, l, Config{OnlyServices: []string{"q"}}, fill, func(_ *stand, sink *Sink) {
		checkAccount(t, sink, account{Admitted: 4, Sent: 1, SampledOut: 3})
	})
	if len(l.runs) != 1 || l.runs[otherID] == nil {
		t.Errorf("%v", l.runs)
	}
	l = newLangSmith(t, everything)
	runsStand(t, l, Config{Sample: 1e-9}, fill, func(_ *stand, sink *Sink) {
		checkAccount(t, sink, account{Admitted: 4, SampledOut: 4})
	})
}

// TestProtocolChanged goes on at its position when a sink begins to take runs in
// place of the spans made of them, with an account that holds.
func TestProtocolChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, journal.Options{})
		l := newLangSmith(t, everything)
		d := s.deps(nil)
		d.Transport = l
		down := true // at first, so that what is counted is ahead of what is sent
		l.answer = func(*http.Request, []byte) int {
			if down {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		}
		for i, protocol := range []string{Protobuf, Native} {
			s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `,` + placed(childID, rootID, "") + `,` + placed(otherID, rootID, "") + `]}`))
			s.append(journal.Entry{Kind: journal.Derived, Items: 1, Body: encode(t, ids(1+i, 1))})
			sink, err := New(Config{Name: "langsmith", Profile: "langsmith", Endpoint: "http://langsmith.test", Protocol: protocol}, d)
			if err != nil {
				t.Fatal(err)
			}
			sink.Start()
			time.Sleep(time.Minute)
			checkAccount(t, sink, []account{{Admitted: 1, Queue: 1}, {Admitted: 3, Sent: 3}}[i])
			down = false
			if err := sink.Stop(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if len(l.runs) != 3 || len(l.otlp) != 0 {
			t.Errorf("%d runs, %d requests of spans", len(l.runs), len(l.otlp))
		}
	})
}

// TestRedactedRuns sends what redaction leaves of a run, in parts of the lengths that
// are left, and nothing at all of what it cannot read.
func TestRedactedRuns(t *testing.T) {
	l := newLangSmith(t, everything)
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, journal.Options{})
		s.appendRuns([]byte("--b\r\nContent-Disposition: form-data; name=\"post." + rootID + "\"\r\nContent-Type: application/json; length=999\r\n\r\n" + placed(rootID, rootID, "") +
			"\r\n--b\r\nContent-Disposition: form-data; name=\"post." + rootID + ".inputs\"\r\nContent-Type: application/json; length=19\r\n\r\n{\"q\":\"canary-canary\"}\r\n--b--\r\n"))
		s.appendRuns([]byte(`{"post":[` + placed(otherID, otherID, `,"name":"unreadable"`) + `]}`))
		d := s.deps(nil)
		d.Transport, d.RewriteAll = l, true
		d.Rewrite = func(kind journal.Kind, body []byte) ([]byte, error) {
			if kind != journal.Runs || bytes.Contains(body, []byte("unreadable")) {
				return nil, errMalformed
			}
			return bytes.ReplaceAll(body, []byte("canary-canary"), []byte("[]")), nil
		}
		sink, err := New(Config{Name: "langsmith", Profile: "langsmith", Endpoint: "http://langsmith.test"}, d)
		if err != nil {
			t.Fatal(err)
		}
		sink.Start()
		defer stop(t, sink)
		time.Sleep(time.Minute)
		checkAccount(t, sink, account{Admitted: 2, Sent: 1, Dead: 1})
	})
	if diff := cmp.Diff(map[string]any{"q": "[]"}, l.runs[rootID]["inputs"]); diff != "" || len(l.runs) != 1 {
		t.Errorf("%s %v", diff, l.runs)
	}
}

// TestJudgementsAmongRuns leaves out a judgement that came in the same body: those who
// tell judgements tell it.
func TestJudgementsAmongRuns(t *testing.T) {
	l := newLangSmith(t, everything)
	part := func(name, content string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\nContent-Type: application/json\r\n\r\n" + content + "\r\n"
	}
	judged := part("feedback."+childID, `{"id":"`+childID+`","run_id":"`+rootID+`","trace_id":"`+rootID+`","key":"user-score","score":1}`)
	runsStand(t, l, Config{}, func(s *stand) {
		s.appendRuns([]byte(part("post."+rootID, placed(rootID, rootID, "")) + judged + "--b--\r\n"))
		s.appendRuns([]byte(judged + "--b--\r\n"))
	}, func(_ *stand, sink *Sink) {
		checkAccount(t, sink, account{Admitted: 3, Sent: 3})
	})
	if len(l.judged) > 0 || len(l.runs) != 1 {
		t.Errorf("judgements %v, runs %v", l.judged, l.runs)
	}
}
