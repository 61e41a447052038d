package e2etest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// exitWithin bounds the wait for a stop that the product promises within 10 s; the
// rest is room for a loaded machine.
const exitWithin = 25 * time.Second

// client is shared so that connections are; tests never leave through a proxy.
var client = &http.Client{
	Timeout:       30 * time.Second,
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// CloseIdle closes the idle connections of the package's client.
func CloseIdle() { client.CloseIdleConnections() }

// Server is a product under test. It is killed when the test ends, and what it
// logged is shown if the test failed.
type Server struct {
	*Process
	t testing.TB
}

// Start launches the product for a test and waits until it is ready. An empty
// DataDir becomes a directory of the test's.
func Start(t testing.TB, spec Spec) *Server {
	t.Helper()
	s := Begin(t, spec)
	if err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Begin is Start without the wait.
func Begin(t testing.TB, spec Spec) *Server {
	t.Helper()
	if spec.DataDir == "" {
		spec.DataDir = DataDir(t)
	}
	p, err := Launch(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log := p.Log()
			t.Logf("what the product at %s logged at last:\n%s", p.Addr, log[max(0, len(log)-16<<10):])
		}
	})
	return &Server{Process: p, t: t}
}

// DataDir makes a path for a data directory. Unlike t.TempDir's it may be left by
// a killed process while files are still being written.
func DataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "treq-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// Crash kills the product and starts it again on the same directory and ports.
func (s *Server) Crash() {
	s.t.Helper()
	if err := s.Kill(); err != nil {
		s.t.Fatal(err)
	}
	s.Again()
}

// Again starts the ended product once more and waits until it is ready.
func (s *Server) Again() {
	s.t.Helper()
	if err := s.Relaunch(); err != nil {
		s.t.Fatal(err)
	}
	if err := s.AwaitReady(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// Terminate asks the product to stop and fails the test unless it ends cleanly.
func (s *Server) Terminate() {
	s.t.Helper()
	if err := s.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	code, err := s.Exit(exitWithin)
	if err != nil {
		s.t.Fatal(err)
	}
	if code != 0 {
		s.t.Fatalf("exit code %d after SIGTERM, want 0", code)
	}
}

// URL gives the address of a path on the one port.
func (s *Server) URL(path string) string { return "http://" + s.Addr + path }

// Answer is a response whose body was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and fails the test when nothing answers.
func (s *Server) Do(method, path string, header http.Header, body io.Reader) Answer {
	s.t.Helper()
	a, err := Do(s.t.Context(), method, s.URL(path), header, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// Get is Do for a GET without headers of its own.
func (s *Server) Get(path string) Answer {
	s.t.Helper()
	return s.Do(http.MethodGet, path, nil, nil)
}

// JSON reads a document into v and fails the test when the answer is not 200.
func (s *Server) JSON(path string, v any) {
	s.t.Helper()
	a := s.Get(path)
	if a.Status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, v); err != nil {
		s.t.Fatalf("GET %s: %v\n%s", path, err, a.Body)
	}
}

// Do sends a request and reads the whole answer.
func Do(ctx context.Context, method, url string, header http.Header, body io.Reader) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return Answer{}, err
	}
	for key, values := range header {
		request.Header[key] = values
		if key == "Host" {
			request.Host = values[0]
		}
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer drain(response)
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("read the answer of %s %s: %w", method, url, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: read}, nil
}

// Eventually waits until check gives nil, and fails the test with its last error
// when that takes longer than within.
func Eventually(t testing.TB, within time.Duration, check func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", within, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func drain(response *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	_ = response.Body.Close()
}
