package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/telemetry/journal"
)

func partial(t testing.TB, contentType string, rejected int64, message string) http.HandlerFunc {
	response := ptraceotlp.NewExportResponse()
	response.PartialSuccess().SetRejectedSpans(rejected)
	response.PartialSuccess().SetErrorMessage(message)
	content, err := response.MarshalProto()
	if contentType == "application/json" {
		content, err = response.MarshalJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(content)
	}
}

// TestFaults plays every answer that a sink may give, one after the other by
// synctest's clock, to four records of ten spans in one batch.
func TestFaults(t *testing.T) {
	const all = 40
	sent := account{Admitted: all, Sent: all}
	waiting := account{Admitted: all, Queue: all}
	buried := account{Admitted: all, Dead: all}
	tests := []struct {
		name    string
		profile string
		script  []http.HandlerFunc
		respond http.HandlerFunc
		refuse  error
		after   time.Duration // how long the sink has, two minutes if 0
		posts   []time.Duration
		want    account
		state   State
		reason  string
	}{
		{name: "healthy", posts: at(0), want: sent},
		{name: "202", respond: status(202), posts: at(0), want: sent},
		{name: "garbage in a success", respond: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			_, _ = w.Write([]byte("\xff\xff<html>"))
		}, posts: at(0), want: sent},
		{name: "garbage in a JSON success", respond: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(200)
			_, _ = w.Write([]byte("{"))
		}, posts: at(0), want: sent},
		{
			name: "partial success", respond: partial(t, "application/x-protobuf", 13, "too old"), posts: at(0),
			want: account{Admitted: all, Sent: all, Rejected: 13}, reason: "the sink rejected 13 spans: too old",
		},
		{
			name: "partial success in JSON", respond: partial(t, "application/json", 3, ""), posts: at(0),
			want: account{Admitted: all, Sent: all, Rejected: 3}, reason: "the sink rejected 3 spans",
		},
		{
			name: "warning", respond: partial(t, "application/x-protobuf", 0, "slow down"), posts: at(0),
			want: sent, reason: "the sink warns: slow down",
		},
		{name: "reset", script: times(2, reset), posts: at(0, 750, 750+1500), want: sent, reason: "EOF"},
		{
			name: "refused", refuse: errRefused, posts: nil, want: waiting, state: Retrying,
			reason: "connection refused",
		},
		{
			name: "hang", script: times(1, hang), posts: at(0, 10_000+750), want: sent,
			reason: "deadline exceeded",
		},
		{name: "429 without a hint", script: times(3, status(429)), posts: at(0, 750, 2250, 5250), want: sent, reason: "HTTP 429 Too Many Requests"},
		// Half of a tenth, at most a second, comes on top.
		{name: "429 with seconds", script: times(1, status(429, "Retry-After", "7")), posts: at(0, 7350), want: sent, reason: "HTTP 429"},
		{name: "429 with a date", script: []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", time.Now().Add(90*time.Second).UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		}}, posts: at(0, 89_800+500), want: sent, reason: "HTTP 429"},
		{name: "429 with a day", script: times(1, status(429, "Retry-After", "86400")), after: 2 * time.Hour, posts: at(0, 3_600_500), want: sent, reason: "HTTP 429"},
		{name: "429 with nonsense", script: times(1, status(429, "Retry-After", "soon")), posts: at(0, 750), want: sent, reason: "HTTP 429"},
		{name: "502", script: times(1, status(502)), posts: at(0, 750), want: sent, reason: "HTTP 502"},
		{name: "503", script: times(1, status(503, "Retry-After", "2")), posts: at(0, 2100), want: sent, reason: "HTTP 503"},
		{name: "504", script: times(1, status(504)), posts: at(0, 750), want: sent, reason: "HTTP 504"},
		{name: "500 from LangSmith", profile: "langsmith", script: times(1, status(500)), posts: at(0, 750), want: sent, reason: "HTTP 500"},
		{name: "408 from LangSmith", profile: "langsmith", script: times(1, status(408)), posts: at(0, 750), want: sent, reason: "HTTP 408"},
		{name: "500", respond: status(500), posts: at(0), want: buried, reason: "HTTP 500"},
		{name: "501", respond: status(501), posts: at(0), want: buried, reason: "HTTP 501"},
		{name: "415", respond: status(415), posts: at(0), want: buried, reason: "HTTP 415"},
		{name: "401", respond: status(401), after: 7 * time.Minute, posts: at(0, 300_000), want: waiting, state: Paused, reason: "HTTP 401 Unauthorized"},
		{name: "401 mended", script: times(1, status(401)), after: 6 * time.Minute, posts: at(0, 300_000), want: sent, reason: "HTTP 401"},
		{name: "403", respond: status(403), after: time.Minute, posts: at(0), want: waiting, state: Paused, reason: "HTTP 403"},
		{name: "404", respond: status(404), after: time.Minute, posts: at(0), want: waiting, state: Paused, reason: "HTTP 404"},
		{name: "301", respond: status(301, "Location", "http://elsewhere.test/"), after: time.Minute, posts: at(0), want: waiting, state: Paused, reason: "HTTP 301"},
		{name: "413 to everything", respond: status(413), want: buried, reason: "HTTP 413"},
		// After 64 spans were refused one by one the rest is not taken apart.
		{name: "400 to everything", respond: status(400), want: buried, reason: "HTTP 400"},
		{name: "422 to everything", respond: status(422), want: buried, reason: "HTTP 422"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBackend(t, test.script...)
				b.respond, b.refuse = test.respond, test.refuse
				stand := newStand(t, journal.Options{})
				for i := range 4 {
					stand.spans(ids(1+10*i, 10))
				}
				// Whole seconds, so that Retry-After dates, which have no more, are exact.
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				start := time.Now()
				sink := stand.sink(b, Config{Profile: test.profile})
				after := test.after
				if after == 0 {
					after = 2 * time.Minute
				}
				time.Sleep(after)
				synctest.Wait()
				checkAccount(t, sink, test.want)
				got := sink.Status()
				if want := cmp.Or(test.state, Running); got.State != want {
					t.Errorf("state is %s, want %s", got.State, want)
				}
				if !strings.Contains(got.LastError, test.reason) || test.reason == "" && got.LastError != "" {
					t.Errorf("last error is %q, want %q", got.LastError, test.reason)
				}
				if test.posts != nil {
					var when []string
					for _, p := range b.got() {
						when = append(when, p.at.Sub(start).String())
					}
					if got, want := fmt.Sprint(when), fmt.Sprint(test.posts); got != want && !strings.Contains(test.name, "date") {
						t.Errorf("posts at %s, want %s", got, want)
					}
				}
				if test.want.Sent == all {
					b.checkTaken(all)
				}
				letters := readLetters(t, stand, "sink")
				var dead int64
				for _, l := range letters {
					dead += l.Spans
					if n := len(decode(t, l.Payload)); int64(n) != l.Spans || l.Reason == "" {
						t.Errorf("a letter of %d spans holds %d, reason %q", l.Spans, n, l.Reason)
					}
				}
				if dead != test.want.Dead {
					t.Errorf("%d spans in the dead-letter file, want %d", dead, test.want.Dead)
				}
			})
		})
	}
}

func at(milliseconds ...int) []time.Duration {
	all := make([]time.Duration, len(milliseconds))
	for i, ms := range milliseconds {
		all[i] = time.Duration(ms) * time.Millisecond
	}
	return all
}

func times(n int, h http.HandlerFunc) []http.HandlerFunc {
	all := make([]http.HandlerFunc, n)
	for i := range all {
		all[i] = h
	}
	return all
}

func readLetters(t testing.TB, stand *stand, name string) []deadLetter {
	t.Helper()
	var letters []deadLetter
	for _, suffix := range []string{".dead.1", ".dead"} {
		content, err := os.ReadFile(filepath.Join(stand.dir, "sinks", name+suffix))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			var letter deadLetter
			if err := json.Unmarshal([]byte(line), &letter); err != nil {
				t.Fatal(err)
			}
			letters = append(letters, letter)
		}
	}
	return letters
}
