package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"treq/test/e2e/e2etest"
)

// gate stands before a service: it tells of a request and how many spans it has, then
// holds it until the test lets one pass, or, once pass is closed, all.
type gate struct {
	*httptest.Server
	arrived chan int
	pass    chan struct{}
}

func startGate(t *testing.T, s *e2etest.Server) *gate {
	t.Helper()
	target, err := url.Parse(s.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport}
	g := &gate{arrived: make(chan int), pass: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		spans := 0
		if strings.HasSuffix(r.URL.Path, "/v1/traces") {
			request := ptraceotlp.NewExportRequest()
			if err := request.UnmarshalProto(body); err != nil {
				t.Error(err)
			}
			spans = request.Traces().SpanCount()
		}
		select {
		case g.arrived <- spans:
		case <-r.Context().Done():
			return
		}
		select {
		case <-g.pass:
			proxy.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() {
		g.CloseClientConnections()
		g.Close()
		transport.CloseIdleConnections()
	})
	return g
}

// chat is a running chat.py; asked counts its questions.
type chat struct {
	t     *testing.T
	url   string
	cmd   *exec.Cmd
	out   *bufio.Reader
	log   *bytes.Buffer
	asked int
}

func startChat(t *testing.T, monitoring, kind string, env ...string) *chat {
	t.Helper()
	python, err := filepath.Abs(filepath.Join("..", "..", ".cache", "langsmith-otel", "bin", "python"))
	if err != nil {
		t.Fatal(err)
	}
	c := &chat{t: t, log: &bytes.Buffer{}, cmd: exec.CommandContext(t.Context(), python, "chat.py", monitoring, kind)}
	c.cmd.Dir, c.cmd.Stderr = "python", c.log
	c.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "PYTHONDONTWRITEBYTECODE=1"}, env...)
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatalf("%v (make e2e-tools installs what it needs)", err)
	}
	t.Cleanup(func() { // Of a chat that was not stopped.
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	c.out = bufio.NewReader(out)
	var first struct{ Port int }
	c.line(&first)
	c.url = fmt.Sprintf("http://127.0.0.1:%d", first.Port)
	return c
}

// line reads what the chat prints next.
func (c *chat) line(v any) {
	c.t.Helper()
	line, err := c.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, v)
	}
	if err != nil {
		_ = c.cmd.Process.Kill()
		c.t.Errorf("%v: %s\n%s", err, line, c.log)
	}
}

// ask asks n questions, one after the other, and wants each answered.
func (c *chat) ask(n int) {
	c.t.Helper()
	for range n {
		c.asked++
		var answered struct{ Answer string }
		c.get(http.MethodPost, "/chat", &answered)
		if answered.Answer == "" {
			c.t.Fatalf("question %d has no answer", c.asked)
		}
	}
}

// dropped is what the chat has given up so far.
func (c *chat) dropped() int {
	c.t.Helper()
	var told struct{ Dropped int }
	c.get(http.MethodGet, "/dropped", &told)
	return told.Dropped
}

func (c *chat) get(method, path string, v any) {
	c.t.Helper()
	a, err := e2etest.Do(c.t.Context(), method, c.url+path, nil, http.NoBody)
	if err == nil {
		err = json.Unmarshal(a.Body, v)
	}
	if err != nil {
		c.t.Fatalf("%s: %v %d %s", path, err, a.Status, a.Body)
	}
}

// stop ends the chat as its platform does, and gives what it dropped in all.
func (c *chat) stop() int {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Error(err)
	}
	// A chat that hangs is ended, and then has printed nothing.
	hung := time.AfterFunc(2*settled, func() { _ = c.cmd.Process.Kill() })
	defer hung.Stop()
	var last struct{ Dropped int }
	c.line(&last)
	if err := c.cmd.Wait(); err != nil && c.cmd.ProcessState.ExitCode() != -1 {
		c.t.Errorf("the chat ended with %v\n%s", err, c.log)
	}
	return last.Dropped
}

// warned wants the log of an ended chat to tell of what was lost so many times.
func (c *chat) warned(times int) {
	c.t.Helper()
	if got := strings.Count(c.log.String(), "Numbers are lost"); got != times {
		c.t.Errorf("told %d times:\n%s", got, c.log)
	}
}
