package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"treq-telemetry": main})
}

// leakChecked fails a run that left goroutines behind.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// TestScripts runs the real command as a person would; testdata reads like a manual.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"code":     code,
			"freeport": freePort,
			"occupy":   occupy,
			"get":      get,

			"await":       await,
			"certificate": certificate,
		},
		RequireExplicitExec: true,
	})
}

// code runs a command and compares its exit code: code 2 treq-telemetry --nope.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code NUMBER COMMAND ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// freePort puts a port that nothing listens on into a variable: freeport PORT.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, fmt.Sprint(unusedPort()))
	}
}

// handedOut counts the ports that scripts were given.
var handedOut atomic.Uint32

// unusedPort gives a port that nothing listens on, each time another. It lies below those
// that systems choose themselves, for listeners of other tests and for outgoing
// connections: one of these would have it before the script has.
func unusedPort() uint32 {
	for {
		port := 12000 + (uint32(os.Getpid())+handedOut.Add(1))%18000
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
}

// occupy listens on a port until the script ends and names it: occupy PORT.
func occupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
}

// patience bounds what a script waits for; it is far above what is needed.
const patience = 60 * time.Second

// get fetches a URL until it answers 200 and the body holds every text given, and
// prints the body: get URL TEXT...
func get(ts *testscript.TestScript, _ bool, args []string) {
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		status, body, err := fetch(args[0])
		last = fmt.Sprint(status, " ", body, err)
		if status == http.StatusOK && holdsAll(body, args[1:]) {
			fmt.Fprint(ts.Stdout(), body)
			return
		}
	}
	ts.Fatalf("%s gave no 200 with %q; at last: %s", args[0], args[1:], last)
}

func fetch(url string) (status int, body string, err error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func holdsAll(body string, texts []string) bool {
	for _, text := range texts {
		if !strings.Contains(body, text) {
			return false
		}
	}
	return true
}
