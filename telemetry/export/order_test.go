package export

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"treq/telemetry/journal"
	"treq/telemetry/langsmith"
)

// slowStarts is a LangSmith that takes its time for what begins a run, and none for
// the rest; of what it was told it notes when it has taken it.
type slowStarts struct {
	mu   sync.Mutex
	told []string
}

func (l *slowStarts) RoundTrip(r *http.Request) (*http.Response, error) {
	var content []byte
	if r.Body != nil {
		content, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	body := string(content)
	begins := r.URL.Path == "/runs" || strings.Contains(body, `name="post.`)
	if begins {
		time.Sleep(time.Second)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range []string{rootID, childID, otherID} {
		if strings.Contains(body, id) || strings.Contains(r.URL.Path, id) {
			l.told = append(l.told, fmt.Sprint(id[:1], " ", begins))
		}
	}
	return &http.Response{StatusCode: http.StatusAccepted, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestARunsOperationsKeepTheirOrder sends by many requests at once: none with a change
// of a run leaves before what began the run is taken, and others don't wait for it.
func TestARunsOperationsKeepTheirOrder(t *testing.T) {
	id, err := langsmith.ParseID(otherID)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStand(t, journal.Options{})
		l := &slowStarts{}
		d := s.deps(nil)
		d.Transport = l
		sink, err := New(Config{
			Name: "langsmith", Profile: "langsmith", Endpoint: "http://langsmith.test/", APIKey: secret("lsv2_ours"),
			MaxInFlight: 8, BatchSpans: 1,
		}, d)
		if err != nil {
			t.Fatal(err)
		}
		sink.Start()
		defer stop(t, sink)
		s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `]}`))
		s.appendRuns([]byte(`{"patch":[` + placed(rootID, rootID, `,"outputs":{}`) + `]}`))
		s.appendRuns(langsmith.AppendPost(nil, []byte(`{"id":"`+otherID+`"}`)))
		s.appendRuns(langsmith.AppendPatch(nil, id, []byte(`{}`)))
		s.appendRuns([]byte(`{"patch":[` + placed(childID, childID, "") + `]}`))
		time.Sleep(time.Minute)
		synctest.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		at := func(what string) int { return slices.Index(l.told, what) }
		if len(l.told) < 5 || at("1 true") > at("1 false") || at("3 true") > at("3 false") || at("2 false") != 0 {
			t.Errorf("%q", l.told)
		}
	})
}

// TestWhatComesAlonePassesNothing lets a change that goes in a request of its own come
// while what began its run still waits for others.
func TestWhatComesAlonePassesNothing(t *testing.T) {
	l := newLangSmith(t, "{}")
	root, err := langsmith.ParseID(rootID)
	if err != nil {
		t.Fatal(err)
	}
	runsStand(t, l, Config{Delay: 5 * time.Second}, func(s *stand) {
		s.appendRuns([]byte(`{"post":[` + placed(rootID, rootID, "") + `]}`))
		s.appendRuns(langsmith.AppendPatch(nil, root, []byte(`{"outputs":{}}`)))
	}, func(_ *stand, sink *Sink) { checkAccount(t, sink, account{Admitted: 2, Sent: 2}) })
	if i, j := slices.Index(l.requests, "POST /runs/multipart"), slices.Index(l.requests, "PATCH /runs/"+rootID); i < 0 || j < i {
		t.Errorf("%q", l.requests)
	}
}
