package export

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"treq/telemetry/journal"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "1.5": 0, "soon": 0,
		"3600": time.Hour, "86400": time.Hour, "99999999999999999999": 0,
		"Sun, 22 Nov 2026 12:01:30 GMT": 90 * time.Second,
		"Sun, 22 Nov 2026 11:00:00 GMT": 0,
		"Sun, 22 Nov 2099 11:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q gives %v, want %v", header, got, want)
		}
	}
}

func TestBackoffGrowsToItsCap(t *testing.T) {
	now := time.Unix(0, 0)
	for _, random := range []float64{0, 0.999999} {
		g := gate{random: func() float64 { return random }}
		for i, most := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			most *= time.Second
			g.shut(now, Retrying, 0, "x")
			wait := g.wait(now)
			if wait < most/2 || wait > most {
				t.Errorf("wait %d is %v, want %v to %v", i, wait, most/2, most)
			}
			now = now.Add(wait)
		}
		g.open(now)
		g.shut(now, Retrying, 0, "x")
		if wait := g.wait(now); wait > time.Second {
			t.Errorf("wait after a success is %v", wait)
		}
	}
}

func TestStuck(t *testing.T) {
	s := &Sink{running: true, gate: gate{random: func() float64 { return 0 }}}
	if s.Stuck() {
		t.Error("stuck without a failure")
	}
	s.gate.shut(time.Now(), Retrying, 0, "x")
	if s.Stuck() {
		t.Error("stuck after one failure")
	}
	s.gate.since = time.Now().Add(-stuckAfter)
	if !s.Stuck() {
		t.Error("not stuck after five minutes")
	}
	s.gate.open(time.Now())
	if s.Stuck() {
		t.Error("stuck after a success")
	}
}

func TestErrorReason(t *testing.T) {
	packed, err := proto.Marshal(&rpcstatus.Status{Code: 3, Message: "bad span"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ contentType, body, want string }{
		{"application/x-protobuf", string(packed), "HTTP 400 Bad Request: bad span"},
		{"application/x-protobuf", "\xff", "HTTP 400 Bad Request"},
		{"application/json", `{"code":3,"message":"bad span"}`, "HTTP 400 Bad Request: bad span"},
		{"application/json; charset=utf-8", `{"detail":"no"}`, "HTTP 400 Bad Request: no"},
		{"application/problem+json", `{"error":"no"}`, "HTTP 400 Bad Request: no"},
		{"application/json", `{"detail":[1]}`, `HTTP 400 Bad Request: {"detail":[1]}`},
		{"text/html", " <p>no\r\n</p>\x00 ", "HTTP 400 Bad Request: <p>no  </p>"},
		{"", "", "HTTP 400 Bad Request"},
	}
	for _, test := range tests {
		answer := &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {test.contentType}}}
		if got := (scrubber{}).scrub(errorReason(answer, []byte(test.body))); strings.TrimSpace(got) != test.want {
			t.Errorf("%s %q gives %q, want %q", test.contentType, test.body, got, test.want)
		}
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("the key s3cret is wrong: s3cret\xff\n")
	f.Add(strings.Repeat("é", 1000))
	var s scrubber
	s.hide("Bearer s3cret")
	f.Fuzz(func(t *testing.T, text string) {
		got := s.scrub(text)
		if strings.Contains(got, "s3cret") && !strings.Contains(strings.ReplaceAll(text, "s3cret", ""), "s") {
			t.Errorf("%q shows the secret", got)
		}
		if !utf8.ValidString(got) || len(got) > maxReason+len("…") {
			t.Errorf("%q is not fit to show", got)
		}
	})
}

// The file stays within its bound and keeps the newest.
func TestDeadLettersAreBounded(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sinks"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sinks", "sink.dead")
	for range 3 { // opened anew, it goes on
		d, err := openDeadLetters(path, 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			letters := []deadLetter{
				{Reason: "r", Spans: int64(i), Payload: make([]byte, 300)},
				{Reason: "large", Payload: make([]byte, 9000)},
			}
			if err := d.write(letters); err != nil {
				t.Fatal(err)
			}
		}
	}
	var size int64
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		size += info.Size()
	}
	if size > 10_000 {
		t.Errorf("%d bytes", size)
	}
	letters := readLetters(t, &stand{dir: dir}, "sink")
	if last := letters[len(letters)-2]; len(letters) < 8 || last.Spans != 49 || len(last.Payload) != 300 {
		t.Errorf("%d letters, the last but one is %+v", len(letters), last)
	}
	if last := letters[len(letters)-1]; last.Payload != nil || last.PayloadBytes != 9000 {
		t.Errorf("a letter beyond the bound is %+v", last)
	}
}

// The transport that a sink makes itself, over real connections, which it keeps.
func TestOwnTransport(t *testing.T) {
	arrived := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- r.RemoteAddr
	}))
	defer server.Close()
	stand := newStand(t, journal.Options{})
	sink, err := New(Config{Name: "sink", Endpoint: server.URL, Delay: time.Nanosecond}, stand.deps(nil))
	if err != nil {
		t.Fatal(err)
	}
	sink.Start()
	defer stop(t, sink)
	stand.spans(ids(1, 3))
	first := <-arrived
	stand.spans(ids(4, 3))
	if second := <-arrived; first != second {
		t.Errorf("two connections, %s and %s", first, second)
	}
	stop(t, sink)
	checkAccount(t, sink, account{Admitted: 6, Sent: 6})
}
