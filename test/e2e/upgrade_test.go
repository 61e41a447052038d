package e2e

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"treq/test/e2e/e2etest"
)

// earlierSettings keep what the archives hold, however old they are.
const earlierSettings = `
chats: {close: {root: 100ms}}
journal: {keep: 1000000h, max_age: 1000000h}
history: {keep: 1000000h}
sinks:
  - {name: copy, profile: otlp, endpoint: "%s"}
`

// TestDataOfEarlierVersions starts this program on the directories that earlier ones
// left when they were killed (testdata/earlier/record.sh says what they had been sent):
// every total goes on from where it stood, the sink that was away is sent what it
// has not, a run is still found, and nothing is taken for damaged.
func TestDataOfEarlierVersions(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(filepath.Join("testdata", "earlier", "*.tar.gz"))
	if err != nil || len(archives) < 3 {
		t.Fatalf("%v %v", archives, err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), func(t *testing.T) {
			t.Parallel()
			sink := e2etest.NewSink(t)
			dir := e2etest.DataDir(t)
			if err := unpack(archive, dir); err != nil {
				t.Fatal(err)
			}
			_, err := os.Stat(filepath.Join(dir, "runs-0"))
			native := err == nil
			s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: fmt.Sprintf(earlierSettings, sink.URL())})
			sums := map[string]float64{
				"chat.total_requests": 5, "chat.failed_requests": 1, "chat.rag_queries": 3, "chat.llm_tokens_used": 550, "chat.avg_response_time_ms": 580,
				"rag.total_searches": 1, "rag.avg_similarity_score": 0.75, "rag.cache_hits": 1, "llm.total_calls": 2, "llm.total_tokens": 450, "llm.model_8b_calls": 1,
			}
			wantSums(t, s, "", sums)
			e2etest.Eventually(t, settled, func() error {
				for _, id := range []string{"b7ad6b7169203331", "b7ad6b7169203332"} {
					if !delivered(sink, id) {
						return fmt.Errorf("the sink lacks span %s", id)
					}
				}
				return nil
			})
			if a := s.Get("/monitoring/runs/0af7651916cd43dd8448eb211c80319c"); a.Status != http.StatusOK {
				t.Errorf("a trace of before: %d %s", a.Status, a.Body)
			}
			if a := s.Get("/monitoring/runs/0190a000-0000-7000-8000-000000000001"); native && a.Status != http.StatusOK {
				t.Errorf("a native run of before: %d %s", a.Status, a.Body)
			}
			if a := s.Do(http.MethodPost, "/monitoring/chat/metrics?success=true&response_time_ms=580", nil, nil); a.Status != http.StatusOK {
				t.Fatalf("%+v", a)
			}
			sums["chat.total_requests"]++
			wantSums(t, s, "", sums)
			s.Crash()
			wantSums(t, s, "", sums)
			onlyTotals(t, archive)
			set, err := filepath.Glob(filepath.Join(dir, "*damaged*"))
			quarantined, err2 := filepath.Glob(filepath.Join(dir, "*", "*damaged*"))
			if err := errors.Join(err, err2); err != nil || len(set)+len(quarantined) > 0 {
				t.Errorf("taken for damaged: %v %v (%v)", set, quarantined, err)
			}
			if strings.Contains(s.Log(), "damaged") || strings.Contains(s.Log(), "does not read") {
				t.Errorf("the log complains:\n%s", s.Log())
			}
		})
	}
}

// onlyTotals starts on a directory whose journal has let go of what the totals hold:
// these are read as they were written, and not counted again.
func onlyTotals(t *testing.T, archive string) {
	t.Helper()
	dir := e2etest.DataDir(t)
	if err := unpack(archive, dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0000000000000000.seg", "0000000000000000.side"} {
		if err := os.Remove(filepath.Join(dir, "journal", name)); err != nil {
			t.Fatal(err)
		}
	}
	s := e2etest.Start(t, e2etest.Spec{DataDir: dir, Config: "chats: {close: {root: 100ms}}\njournal: {keep: 1000000h, max_age: 1000000h}\n"})
	wantSums(t, s, "", map[string]float64{
		"chat.total_requests": 5, "chat.failed_requests": 1, "rag.total_searches": 1, "rag.avg_similarity_score": 0.75, "llm.total_calls": 2, "llm.total_tokens": 450,
	})
}

func delivered(sink *e2etest.Sink, span string) bool {
	for _, r := range sink.Requests() {
		for _, s := range r.Spans {
			if r.Status < 300 && fmt.Sprintf("%x", s.GetSpanId()) == span {
				return true
			}
		}
	}
	return false
}

// unpack makes the directory of what an archive holds.
func unpack(archive, dir string) error {
	packed, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer packed.Close()
	stream, err := gzip.NewReader(packed)
	if err != nil {
		return err
	}
	for files := tar.NewReader(stream); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !filepath.IsLocal(header.Name) {
			return fmt.Errorf("%s lies outside", header.Name)
		}
		path := filepath.Join(dir, header.Name)
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o700)
		} else {
			err = write(path, files)
		}
		if err != nil {
			return err
		}
	}
}

func write(path string, content io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
