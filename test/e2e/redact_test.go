package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"treq/telemetry/journal"
	"treq/test/e2e/e2etest"
)

// wiretap is a LangSmith that writes down all that it is told: addresses, headers and
// bodies as they were before they were compressed.
type wiretap struct {
	mu         sync.Mutex
	heard      bytes.Buffer
	judgements int
	faults     []error
}

func (l *wiretap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		raw, err = decompressed(r.Header.Get("Content-Encoding"), raw)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.faults = append(l.faults, err)
	}
	fmt.Fprintf(&l.heard, "%s %s %v\n%s\n", r.Method, r.URL, r.Header, raw)
	switch {
	case r.URL.Path == "/info":
		fmt.Fprint(w, `{"instance_flags":{"zstd_compression_enabled":true},"batch_ingest_config":{"size_limit":100,"size_limit_bytes":20971520}}`)
		return
	case strings.HasPrefix(r.URL.Path, "/sessions"):
		fmt.Fprint(w, "[]")
		return
	case strings.HasPrefix(r.URL.Path, "/feedback") && r.Method != http.MethodGet:
		l.judgements++
	}
	fmt.Fprint(w, "{}")
}

// cutLast is strings.Cut at the last place of the separator.
func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// live reads the stream of live numbers until it is told to end, and gives what it read.
func live(t *testing.T, s *e2etest.Server) (end func() []byte) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL("/monitoring/live"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	var read bytes.Buffer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = response.Body.Close() }()
		_, _ = io.Copy(&read, response.Body) // ends when it is told to
	}()
	return func() []byte {
		cancel()
		<-ended
		http.DefaultClient.CloseIdleConnections()
		return read.Bytes()
	}
}

// onDisk gives all that the data directory of an ended process holds: its files, and
// the records of its log decompressed.
func onDisk(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	c, err := j.NewCursor("test", 0, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	records := 0
	for {
		r, err := c.TryNext()
		if err != nil {
			t.Fatal(err)
		}
		if r == nil {
			break
		}
		data, err := r.Data()
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
		r.Release()
		records++
	}
	if records == 0 {
		t.Fatal("the log is empty")
	}
	return all.Bytes()
}

// TestNothingPrivateIsKept plants personal numbers, addresses, cards and keys wherever
// text comes in by every door, and looks for them on disk, at a sink, in every answer
// and in the log: with redaction none is found, without it they are.
func TestNothingPrivateIsKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                       string
		args                       []string
		disk, sink, answers, empty bool // whether it is to be found there; whether content is gone
	}{
		{"off", nil, true, true, true, false},
		{"door", []string{"--redact=br"}, false, false, false, false},
		{"sink", []string{"--redact=br", "--redact-at=sink"}, true, false, true, false},
		{"both", []string{"--redact=br", "--redact-at=both", "--content=none"}, false, false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			sink := e2etest.NewSink(t)
			dir := e2etest.DataDir(t)
			langsmith := &wiretap{}
			backend := httptest.NewServer(langsmith)
			t.Cleanup(backend.Close)
			s := e2etest.Start(t, e2etest.Spec{
				DataDir: dir, Args: append([]string{"--log-level=debug"}, c.args...),
				Config: quick + "sinks:\n  - {name: fake, endpoint: \"" + sink.URL() + "/v1/traces\"}\n" +
					"  - {name: langsmith, profile: langsmith, endpoint: \"" + backend.URL + "\", api_key: ours, delay: 20ms}\n",
			})
			endLive := live(t, s)
			p := &planter{planted: map[string]string{}}
			questions := p.plant(t, s)
			// The numbers are what they are, whatever is taken out.
			e2etest.Eventually(t, settled, func() error {
				if got := s.Metrics("?service=private").Chat.TotalRequests; got != questions-3 && got != questions {
					return fmt.Errorf("%d chats of %d", got, questions)
				}
				if st := s.Sink("fake"); st.QueueSpans > 0 || st.Sent < 4*(questions-4)+3 {
					return fmt.Errorf("the sink has %d spans of %d", st.Sent, st.Admitted)
				}
				if st := s.Sink("langsmith"); st.QueueSpans > 0 || st.Sent < 4*(questions-4)+3 {
					return fmt.Errorf("LangSmith has %d spans of %d", st.Sent, st.Admitted)
				}
				langsmith.mu.Lock()
				defer langsmith.mu.Unlock()
				if langsmith.judgements < judgements {
					return fmt.Errorf("LangSmith was told %d of %d judgements", langsmith.judgements, judgements)
				}
				return nil
			})
			m := e2etest.Of(s.Metrics("?service=private"))
			if asked := questions - 4; m.Calls != asked || m.Tokens != 300*asked || m.Searches != asked || m.NoResults != 0 {
				t.Errorf("%d questions count as %+v", asked, m)
			}
			look := func(where string, text []byte, want bool) {
				t.Helper()
				places := p.seen(text)
				if !want && len(places) > 0 {
					t.Errorf("%s has %d of what was planted, such as %q", where, len(places), places[:min(5, len(places))])
				}
				if want && len(places) == 0 {
					t.Errorf("%s has nothing of what was planted: the test looks at the wrong place", where)
				}
				if has := bytes.Contains(text, []byte(written)); has && c.empty {
					t.Errorf("%s has content", where)
				}
			}
			var list struct {
				Runs []struct {
					RunID string `json:"run_id"`
				} `json:"runs"`
			}
			var answers bytes.Buffer
			s.JSON("/monitoring/runs?limit=100", &list)
			for _, path := range []string{
				"/monitoring/runs?limit=100", "/monitoring/metrics", "/monitoring/stats/summary", "/monitoring/sinks", "/monitoring/models", "/monitoring/chats/entries", "/monitoring/health?verbose=1",
				"/monitoring/alerts", "/monitoring/kpis", "/monitoring/feedback/stats", "/feedback?run=" + judged, "/monitoring/runs?q=canario", "/readyz?verbose",
			} {
				answers.Write(s.Get(path).Body)
			}
			if len(list.Runs) == 0 {
				t.Error("no runs are shown")
			}
			for _, run := range list.Runs {
				for _, query := range []string{"", "?content=full", "?explain=1"} {
					answers.Write(s.Get("/monitoring/runs/" + run.RunID + query).Body)
				}
			}
			look("what is answered", answers.Bytes(), c.answers)
			page := s.Do("GET", "/", http.Header{"Accept": {"text/html"}}, nil)
			look("the dashboard's page", page.Body, false)
			if numbers := endLive(); !bytes.Contains(numbers, []byte("event: summary")) {
				t.Errorf("the live stream said %q", numbers)
			} else {
				look("the live stream", numbers, false)
			}
			langsmith.mu.Lock()
			look("LangSmith", langsmith.heard.Bytes(), c.sink)
			for _, err := range langsmith.faults {
				t.Error(err)
			}
			langsmith.mu.Unlock()
			look("/metrics", s.Get("/metrics").Body, c.disk) // what services measured has their attributes
			var sent bytes.Buffer
			for _, r := range sink.Requests() {
				fmt.Fprint(&sent, r.Header)
				for _, span := range r.Spans {
					body, err := proto.Marshal(span)
					if err != nil {
						t.Fatal(err)
					}
					sent.Write(body)
				}
			}
			look("the sink", sent.Bytes(), c.sink)
			s.Terminate()
			look("the log", []byte(s.Log()), false)
			disk := onDisk(t, dir)
			look("the data directory", disk, c.disk)
			if !c.disk {
				return
			}
			// Judgements are redacted at the door wherever the rest is.
			missing := maps.Clone(p.planted)
			for _, seen := range p.seen(disk) {
				place, sign, _ := cutLast(seen, ": ")
				if len(c.args) > 0 && strings.HasPrefix(place, "judged") {
					t.Errorf("the data directory has %q", seen)
				}
				delete(missing, sign)
			}
			maps.DeleteFunc(missing, func(_, place string) bool { return len(c.args) > 0 && strings.HasPrefix(place, "judged") })
			if len(missing) > 0 {
				t.Errorf("of what was planted this did not come by the doors: %v", missing)
			}
		})
	}
}
