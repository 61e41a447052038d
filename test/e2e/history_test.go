package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/test/e2e/e2etest"
)

// often samples as often as can be configured.
const often = "TREQ_HISTORY_STEP=1s"

// post records chats that succeed, each of 200 ms and 10 tokens.
func post(t *testing.T, s *e2etest.Server, service string, n int) {
	t.Helper()
	for range n {
		a := s.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=200&llm_tokens=10&service="+service, nil, nil)
		if a.Status != http.StatusOK {
			t.Fatalf("a post: %d %s", a.Status, a.Body)
		}
	}
}

// promtool runs promtool query against an address.
func promtool(t *testing.T, address string, args ...string) string {
	t.Helper()
	program, err := e2etest.Program("promtool")
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"query", args[0], address}, args[1:]...)
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// asks gives a Prometheus that is reached through the product.
func asks(t *testing.T, s *e2etest.Server) *prometheus {
	return &prometheus{t: t, addr: s.Addr + "/prometheus"}
}

// TestHistoryThroughPromtool asks with Prometheus's own tool, and for charts.
func TestHistoryThroughPromtool(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{often}})
	post(t, s, "app", 5)
	h := asks(t, s)
	h.want(`sum(treq_chat_duration_seconds_count{service_name="app"})`, 5)
	// The first chats of a service are an increase.
	h.want(`treq_chat_tokens_total{service_name="app"} - min_over_time(treq_chat_tokens_total{service_name="app"}[5m])`, 50)
	address := s.URL("/prometheus")
	if got := promtool(t, address, "instant", `sum by (service_name) (treq_chat_duration_seconds_count)`); !strings.HasPrefix(got, `{service_name="app"} => 5 @[`) {
		t.Errorf("promtool query instant: %s", got)
	}
	now := time.Now()
	at := func(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }
	if got := promtool(t, address, "range", "--start="+at(-time.Minute), "--end="+at(time.Minute), "--step=1s", `max(treq_chat_tokens_total)`); !strings.Contains(got, "\n50 @[") {
		t.Errorf("promtool query range: %s", got)
	}
	if got := promtool(t, address, "series", `--match=treq_chat_tokens_total`); !strings.Contains(got, `service_name="app"`) || !strings.Contains(got, `job="treq-telemetry"`) {
		t.Errorf("promtool query series: %s", got)
	}
	if got := promtool(t, address, "labels", "service_name"); !slices.Contains(strings.Fields(got), "app") {
		t.Errorf("promtool query labels: %s", got)
	}
	var chart struct {
		Unit   string `json:"unit"`
		Series []struct {
			Values []*float64 `json:"values"`
		} `json:"series"`
	}
	e2etest.Eventually(t, settled, func() error {
		s.JSON("/monitoring/history?metric=latency_avg&range=1m&step=1s&service=app", &chart)
		if chart.Unit != "ms" || len(chart.Series) != 1 || len(chart.Series[0].Values) != 61 {
			return fmt.Errorf("chart %+v", chart)
		}
		for _, v := range chart.Series[0].Values {
			if v != nil && (*v < 199.9 || *v > 200.1) {
				return fmt.Errorf("an average of %v ms", *v)
			}
		}
		if !slices.ContainsFunc(chart.Series[0].Values, func(v *float64) bool { return v != nil }) {
			return fmt.Errorf("an empty chart")
		}
		return nil
	})
}

// TestHistoryIsOff has neither windows nor addresses, and writes nothing.
func TestHistoryIsOff(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{"TREQ_HISTORY=false"}})
	for path, want := range map[string]int{
		"/monitoring/history": 404, "/prometheus/api/v1/query?query=up": 404, "/monitoring/metrics?window=5m": 422, "/monitoring/metrics": 200,
	} {
		if a := s.Get(path); a.Status != want {
			t.Errorf("%s: %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
}

// TestWindow counts what came within it, of both documents, exactly.
func TestWindow(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{often}})
	post(t, s, "app", 7)
	// Everything lies within a window that is longer than the process lives.
	if got := s.Metrics("?window=1h").Chat; got.TotalRequests != 7 || got.LLMTokensUsed != 70 || got.AvgResponseTimeMS != 200 {
		t.Errorf("an hour: %+v", got)
	}
	h := asks(t, s)
	h.want(`sum(treq_chat_duration_seconds_count)`, 7)
	e2etest.Eventually(t, settled, func() error {
		if got := s.Metrics("?window=3s").Chat; got.TotalRequests != 0 || got.LLMTokensUsed != 0 {
			return fmt.Errorf("three seconds after the last chat: %+v", got)
		}
		return nil
	})
	// Two more are in the window as soon as they are answered. Where the machine stood still
	// and it was over before it was asked about, two others are.
	others := 0
	e2etest.Eventually(t, settled, func() error {
		if got := s.Metrics("?window=3s").Chat.TotalRequests; got != 0 {
			return fmt.Errorf("%d chats are still in the window", got)
		}
		began := time.Now()
		post(t, s, "other", 2)
		others += 2
		got := s.Metrics("?window=3s").Chat
		if took := time.Since(began); took > time.Second {
			return fmt.Errorf("two posts and a question took %v", took)
		}
		if got.TotalRequests != 2 || got.LLMTokensUsed != 20 {
			t.Errorf("two more: %+v", got)
		}
		return nil
	})
	if got := s.Metrics("?window=3s&service=app").Chat.TotalRequests; got != 0 {
		t.Errorf("of the first service: %d", got)
	}
	if got := s.Metrics("?window=1h&service=app").Chat.TotalRequests; got != 7 {
		t.Errorf("of the first service in an hour: %d", got)
	}
	// A crash takes nothing out of a window, and puts nothing into it.
	s.Crash()
	if got := s.Metrics("?window=1h").Chat; got.TotalRequests != int64(7+others) || got.LLMTokensUsed != int64(70+10*others) {
		t.Errorf("an hour over a crash: %+v", got)
	}
	var summary e2etest.Summary
	s.JSON("/monitoring/stats/summary?window=1h&service=other", &summary)
	if summary.TotalRequests != int64(others) || summary.SuccessRatePercent != 100 {
		t.Errorf("the summary: %+v", summary)
	}
	if a := s.Get("/monitoring/metrics?window=20d"); a.Status != http.StatusUnprocessableEntity || !strings.Contains(string(a.Body), "at most 15d, which is how long the history is kept") {
		t.Errorf("20 days: %d %s", a.Status, a.Body)
	}
}

// TestHistoryOverCrashes kills the product while it counts. What history says then
// has no reset and loses nothing.
func TestHistoryOverCrashes(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{often}})
	h := asks(t, s)
	total := 0
	for i := range 3 {
		post(t, s, "app", 10+i)
		total += 10 + i
		if i == 1 {
			h.want(`sum(treq_chat_duration_seconds_count)`, float64(total))
		}
		s.Crash()
		post(t, s, "app", 1)
		total++
	}
	h.want(`sum(treq_chat_duration_seconds_count)`, float64(total))
	for _, metric := range []string{"treq_chat_duration_seconds_count", "treq_chat_duration_seconds_sum", "treq_chat_duration_seconds_bucket", "treq_chat_tokens_total"} {
		h.want(`sum(resets(`+metric+`[10m]))`, 0)
	}
	h.want(`count(count_over_time(treq_chat_tokens_total[10m]))`, 1)
	h.want(`sum(treq_chat_tokens_total - min_over_time(treq_chat_tokens_total[10m]))`, float64(10*total))
	h.want(`treq_history_quarantined_total`, 0)
}

// TestDamagedHistory starts all the same, says so, and counts on.
func TestDamagedHistory(t *testing.T) {
	t.Parallel()
	dir := e2etest.DataDir(t)
	block := filepath.Join(dir, "history", "01JGZZZZZZZZZZZZZZZZZZZZZZ")
	if err := os.MkdirAll(filepath.Join(block, "chunks"), 0o700); err != nil {
		t.Fatal(err)
	}
	meta := `{"ulid":"01JGZZZZZZZZZZZZZZZZZZZZZZ","minTime":1736000000000,"maxTime":1736007200000,"stats":{"numSamples":1,"numSeries":1,"numChunks":1},"compaction":{"level":1,"sources":["01JGZZZZZZZZZZZZZZZZZZZZZZ"]},"version":1}`
	for name, text := range map[string]string{"meta.json": meta, "index": "not an index", "chunks/000001": "no chunks"} {
		if err := os.WriteFile(filepath.Join(block, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Env: []string{often}})
	post(t, s, "app", 3)
	h := asks(t, s)
	h.want(`treq_history_quarantined_total`, 1)
	h.want(`sum(treq_chat_duration_seconds_count)`, 3)
	if aside, err := filepath.Glob(filepath.Join(dir, "history.damaged-*")); err != nil || len(aside) != 1 {
		t.Errorf("set aside: %v %v", aside, err)
	}
}

// TestHistoryElsewhere writes to a real Prometheus, which also scrapes, and asks it
// in the product's place.
func TestHistoryElsewhere(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{often}})
	p := startPrometheus(t, s.Addr, "/metrics")
	writing := e2etest.Start(t, e2etest.Spec{Env: []string{often, "TREQ_HISTORY_REMOTE_WRITE_URL=http://" + p.addr + "/api/v1/write"}})
	post(t, writing, "written", 4)
	p.want(`sum(treq_chat_duration_seconds_count{job="treq-telemetry",service_name="written"})`, 4)
	asking := e2etest.Start(t, e2etest.Spec{Env: []string{often, "TREQ_HISTORY_URL=http://" + p.addr}})
	through := asks(t, asking)
	through.want(`sum(treq_chat_duration_seconds_count{job="treq-telemetry",service_name="written"})`, 4)
	through.want(`count(up{job="/metrics"})`, 1)
	if got := promtool(t, asking.URL("/prometheus"), "labels", "job"); got != "/metrics\ntreq-telemetry" {
		t.Errorf("promtool query labels: %s", got)
	}
	e2etest.Eventually(t, settled, func() error {
		a := asking.Get("/monitoring/history?metric=latency_avg&range=1m&service=written")
		if a.Status != http.StatusOK || !strings.Contains(string(a.Body), `"service"`) && !strings.Contains(string(a.Body), "200") {
			return fmt.Errorf("a chart: %d %s", a.Status, a.Body)
		}
		return nil
	})

	// What a scrape of the product gives has the names and labels of its own history.
	post(t, s, "scraped", 2)
	p.want(`sum(treq_chat_duration_seconds_count{job="/metrics",service_name="scraped"})`, 2)
	asks(t, s).want(`sum(treq_chat_duration_seconds_count{service_name="scraped"})`, 2)
	// A series that was just made is in one up to a scrape before it is in the other.
	e2etest.Eventually(t, settled, func() error {
		if diff := cmp.Diff(seriesAt(t, p.addr, "/metrics"), seriesAt(t, s.Addr+"/prometheus", "treq-telemetry")); diff != "" {
			return fmt.Errorf("series (-scraped +history):\n%s", diff)
		}
		return nil
	})
}

// TestHistoryElsewhereOverAKill kills the product while what it sampled last waits for
// the other server: its next process sends that, so that the first chats of a service
// are an increase there too.
func TestHistoryElsewhereOverAKill(t *testing.T) {
	t.Parallel()
	scraped := e2etest.Start(t, e2etest.Spec{Env: []string{often}})
	p := startPrometheus(t, scraped.Addr, "/metrics")
	forward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: p.addr})
	var away atomic.Bool
	door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	defer door.Close()
	s := e2etest.Start(t, e2etest.Spec{Env: []string{often, "TREQ_HISTORY_REMOTE_WRITE_URL=" + door.URL + "/api/v1/write"}})
	p.want(`up{job="treq-telemetry"}`, 1)
	away.Store(true)
	post(t, s, "app", 7)
	asks(t, s).want(`sum(treq_chat_duration_seconds_count{service_name="app"})`, 7)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	away.Store(false)
	s.Again()
	p.want(`sum(treq_chat_duration_seconds_count{service_name="app"} - min_over_time(treq_chat_duration_seconds_count{service_name="app"}[5m]))`, 7)
	if strings.Contains(s.Log(), "refuses samples") {
		t.Errorf("the product logged:\n%s", s.Log())
	}
}

// seriesAt lists the series of a job, but for what a target is named.
func seriesAt(t *testing.T, address, job string) (series []string) {
	t.Helper()
	a, err := e2etest.Do(t.Context(), http.MethodGet, "http://"+address+"/api/v1/query?query="+url.QueryEscape(`{job="`+job+`",__name__!~"scrape_.*"}`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string `json:"metric"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		t.Fatalf("%v in %s", err, a.Body)
	}
	for _, r := range answer.Data.Result {
		delete(r.Metric, "job")
		delete(r.Metric, "instance")
		text, err := json.Marshal(r.Metric)
		if err != nil {
			t.Fatal(err)
		}
		series = append(series, string(text))
	}
	slices.Sort(series)
	return series
}
