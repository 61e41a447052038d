package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestRenderingIsSharedWhileItIsTrue(t *testing.T) {
	f := newFixture(t)
	get := func() string { return f.do("GET", "/monitoring/metrics", "").Body.String() }
	first := get()
	if want := `{"document":"metrics","service":"","made":1}`; first != want {
		t.Fatalf("%s, want %s", first, want)
	}
	f.now = f.now.Add(maxStale)
	if got := get(); got != first {
		t.Errorf("made anew though nothing changed: %s", got)
	}
	f.now = f.now.Add(1)
	second := get()
	if second == first {
		t.Error("a rendering is older than it may be")
	}
	f.do("POST", "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", "")
	third := get()
	if third == second {
		t.Error("a rendering is older than the last post")
	}
	f.now = f.now.Add(-time.Hour)
	if get() == third {
		t.Error("a rendering of the future is served")
	}
	if got := f.do("GET", "/monitoring/stats/summary", "").Body.String(); got != `{"document":"summary","service":"","made":5}` {
		t.Errorf("summary %s", got)
	}
}

// A post that is counted while a document is made is not in the document for sure.
func TestRenderingMadeDuringAPostIsNotKept(t *testing.T) {
	var c rendering
	m := &fakeMeter{}
	now := func() time.Time { return time.Unix(0, 0) }
	made := 0
	build := func() (any, error) {
		made++
		m.version++
		return made, nil
	}
	for want := 1; want <= 2; want++ {
		if _, err := c.get(m, now, build); err != nil || made != want {
			t.Errorf("made %d times, want %d: %v", made, want, err)
		}
	}
}

func TestManyAskersShareOneRendering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		var askers sync.WaitGroup
		for range 50 {
			askers.Go(func() { f.do("GET", "/monitoring/metrics", "") })
		}
		askers.Wait()
		if f.docs.made != 1 {
			t.Errorf("made %d times", f.docs.made)
		}
	})
}

// madeDocuments calls make for every document.
type madeDocuments struct{ make func() (any, error) }

func (d madeDocuments) Metrics(context.Context, Narrow) (any, error) { return d.make() }
func (d madeDocuments) Summary(context.Context, Narrow) (any, error) { return d.make() }

// Whoever is answered with what is no longer young makes the next one, with the
// answer on its way already.
func TestAnswerLeavesBeforeTheNextRendering(t *testing.T) {
	var answer *httptest.ResponseRecorder
	var before []string
	made := 0
	f := newFixture(t, func(o *Options) {
		o.Documents = madeDocuments{func() (any, error) {
			if made++; made > 1 {
				before = append(before, answer.Body.String())
				if !answer.Flushed {
					t.Error("the next rendering is made before the answer has left")
				}
			}
			return made, nil
		}}
	})
	get := func() string {
		r := httptest.NewRequest(http.MethodGet, "/monitoring/metrics", http.NoBody)
		r.Host = "localhost"
		answer = httptest.NewRecorder()
		f.handler.ServeHTTP(answer, r)
		return answer.Body.String()
	}
	for i, step := range []struct {
		later time.Duration
		want  string
		made  int
	}{
		{0, "1", 1},
		{renewAge, "1", 1},
		{1, "1", 2}, // and has made the second
		{renewAge, "2", 2},
		{maxStale - renewAge, "2", 3},
		{renewAge + 1, "3", 4},
	} {
		f.now = f.now.Add(step.later)
		if got := get(); got != step.want || made != step.made {
			t.Errorf("step %d: answered %s with %d made, want %s with %d", i, got, made, step.want, step.made)
		}
	}
	for i, body := range before {
		if want := string(rune('1' + i)); body != want {
			t.Errorf("before rendering %d the answer was %q, want %q", i+2, body, want)
		}
	}
}

// While one caller makes the next rendering, however long that takes, the others
// have the last one.
func TestNobodyWaitsForTheNextRendering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		made := 0
		finish := make(chan struct{})
		f := newFixture(t, func(o *Options) {
			o.Documents = madeDocuments{func() (any, error) {
				mu.Lock()
				made++
				n := made
				mu.Unlock()
				if n > 1 {
					<-finish
				}
				return n, nil
			}}
		})
		f.do("GET", "/monitoring/metrics", "")
		f.now = f.now.Add(maxStale)
		var slow sync.WaitGroup
		slow.Go(func() { f.do("GET", "/monitoring/metrics", "") })
		synctest.Wait() // it has answered, and makes the second
		for range 5 {
			if got := f.do("GET", "/monitoring/metrics", "").Body.String(); got != "1" {
				t.Errorf("answered %s, want the last rendering", got)
			}
		}
		close(finish)
		slow.Wait()
		if got := f.do("GET", "/monitoring/metrics", "").Body.String(); got != "2" || made != 2 {
			t.Errorf("answered %s with %d made, want the second of two", got, made)
		}
	})
}

// A rendering that fails is told to whoever needs it, not to whoever was answered.
func TestFailedRenderingIsToldToTheNext(t *testing.T) {
	var fault error
	f := newFixture(t, func(o *Options) {
		o.Documents = madeDocuments{func() (any, error) { return 1, fault }}
	})
	f.do("GET", "/monitoring/metrics", "")
	fault = errors.New("no figures")
	f.now = f.now.Add(maxStale)
	if w := f.do("GET", "/monitoring/metrics", ""); w.Code != http.StatusOK || w.Body.String() != "1" {
		t.Errorf("%d %s, want what was rendered before", w.Code, w.Body)
	}
	f.now = f.now.Add(1)
	if w := f.do("GET", "/monitoring/metrics", ""); w.Code != http.StatusInternalServerError {
		t.Errorf("%d, want 500", w.Code)
	}
}
