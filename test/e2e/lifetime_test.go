package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// TestTotalsSurvive compares all totals over a clean stop and a crash, with
// traces still open at either.
func TestTotalsSurvive(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: "chats:\n  close:\n    root: 1s\n"})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 10)
	s.Terminate() // the traces are open: nothing is counted yet
	s.Again()
	wantTotals(t, s, "", ledger.Totals())
	deliver(t, s, ledger, 10)
	s.Crash()
	wantTotals(t, s, "", ledger.Totals())
	s.Crash()
	wantTotals(t, s, "", ledger.Totals())
}

// TestSameRequestAgain sends equal bytes, the same spans compressed anew and the
// same spans in other batches, before and after a crash: counted once.
func TestSameRequestAgain(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{Config: quick})
	traces := e2etest.NewGenerator(uint64(time.Now().UnixNano()))
	want := e2etest.Totals{}
	one := traces.Trace(e2etest.Question{Input: 200, Output: 100, Scores: []float64{1}}, time.Now())
	want.Add(one.Question)
	two := traces.Trace(e2etest.Question{Input: 20, Output: 10}, time.Now())
	want.Add(two.Question)
	for round := range 2 {
		for _, e := range []e2etest.Encoding{{}, {}, {Compression: "gzip", Level: 1}, {Compression: "gzip", Level: 9}, {JSON: true}, {Compression: "zstd"}} {
			for _, request := range [][]*e2etest.Trace{{one}, {two}, {one, two}, {two, one}} {
				spans := request[0].Spans
				if len(request) > 1 {
					spans = append(spans[:len(spans):len(spans)], request[1].Spans...)
				}
				if err := e2etest.Send(t.Context(), s.URL("/v1/traces"), e, e2etest.Request("svc", spans...)); err != nil {
					t.Fatal(err)
				}
			}
		}
		wantTotals(t, s, "", want)
		if round == 0 {
			s.Crash()
			wantTotals(t, s, "", want)
		}
	}
}

// TestDataDirTaken starts a second service on the data directory of a running
// one: it waits as configured, then says which directory is taken.
func TestDataDirTaken(t *testing.T) {
	t.Parallel()
	dir := e2etest.DataDir(t)
	first := e2etest.Start(t, e2etest.Spec{DataDir: dir})
	second := e2etest.Begin(t, e2etest.Spec{DataDir: dir, Config: "journal:\n  lock_wait: 100ms\n"})
	code, err := second.Exit(60 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if log := second.Log(); code != 1 || !strings.Contains(log, dir) {
		t.Errorf("exit code %d, want 1, and %q should name %s", code, log, dir)
	}
	if a := first.Get("/readyz"); a.Status != http.StatusOK {
		t.Errorf("the first service: %d %s", a.Status, a.Body)
	}
}

// TestHandOver starts the next service while the first still runs, as a rolling
// deployment does: the second takes over when the first stops.
func TestHandOver(t *testing.T) {
	t.Parallel()
	dir := e2etest.DataDir(t)
	first := e2etest.Start(t, e2etest.Spec{DataDir: dir})
	if a := first.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=1", nil, nil); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	second := e2etest.Begin(t, e2etest.Spec{DataDir: dir})
	first.Terminate()
	if err := second.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := second.Metrics("").Chat.TotalRequests; got != 1 {
		t.Errorf("the second service shows %d chats, want 1", got)
	}
}

// TestFilesArePrivate checks the modes of everything in the data directory.
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	dir := e2etest.DataDir(t)
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: sinkConfig(map[string]string{"any": sink.URL()})})
	ledger := e2etest.NewLedger()
	deliver(t, s, ledger, 2)
	wantSettled(t, s, "any", 8, 0)
	s.Terminate()
	files := 0
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		want := os.FileMode(0o600)
		if info.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if got := info.Mode().Perm(); got != want {
			return fmt.Errorf("%s has mode %o, want %o", path, got, want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if files == 0 {
		t.Error("the data directory is empty")
	}
}

// TestStopUnderLoad stops the service while clients send: the exit is clean, and
// what was acknowledged is counted after the next start.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	s := e2etest.Start(t, e2etest.Spec{Config: sinkConfig(map[string]string{"any": sink.URL()})})
	load := startLoad(t, s, 3)
	for range 5 {
		load.progress(20)
		s.Terminate()
		s.Again()
	}
	load.finish()
	wantTotals(t, s, "crash", load.ledger.Totals())
	wantSettled(t, s, "any", s.Sink("any").Admitted, 0)
	load.ledger.Check(t, sink)
}
