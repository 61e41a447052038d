package e2e

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"treq/test/e2e/e2etest"
)

// screen is a terminal of 80 by 30 in a tmux server of its own.
type screen struct {
	t      *testing.T
	socket string
}

// newScreen runs a command with variables in a terminal.
func newScreen(t *testing.T, env []string, command ...string) *screen {
	t.Helper()
	s := &screen{t, filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", s.socket, "kill-server").Run() })
	args := []string{"-S", s.socket, "-u", "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "30", "-s", "s"}
	for _, v := range env {
		args = append(args, "-e", v)
	}
	// A shell stays behind the command, so that its end can be seen.
	line := strings.Join(command, " ") + "; echo ended; exec cat"
	if out, err := exec.Command("tmux", append(args, line)...).CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	return s
}

func (s *screen) text() (string, error) {
	out, err := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p", "-t", "s").Output()
	return string(out), err
}

func (s *screen) press(key string) {
	s.t.Helper()
	if err := exec.Command("tmux", "-S", s.socket, "send-keys", "-t", "s", key).Run(); err != nil {
		s.t.Fatal(err)
	}
}

// shows waits until the screen has all of some texts, and holds its lines to 80 columns.
func (s *screen) shows(texts ...string) string {
	s.t.Helper()
	var last string
	e2etest.Eventually(s.t, settled, func() (err error) {
		if last, err = s.text(); err != nil {
			return err
		}
		for _, text := range texts {
			if !strings.Contains(last, text) {
				return fmt.Errorf("the screen lacks %q:\n%s", text, last)
			}
		}
		return nil
	})
	for line := range strings.Lines(last) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\n")) > 80 {
			s.t.Errorf("wider than the terminal: %s", line)
		}
	}
	return last
}

// What a person sees in a terminal of 80 columns: the picture, moving on, gone
// without a trace at q; runs as they come; the findings of the doctor.
func TestTerminal(t *testing.T) {
	server := e2etest.Start(t, e2etest.Spec{Config: quick})
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	demo := func(chats string) {
		if out, err := exec.Command(binary, "demo", "--endpoint", server.URL(""), "--chats", chats, "--rate", "50").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	demo("20")
	at := "--url=" + server.URL("")
	top := newScreen(t, []string{"LANG=pt_BR.UTF-8"}, binary, "top", "--every", "300ms", at)
	tail := newScreen(t, []string{"LANG=en_US.UTF-8", "NO_COLOR=1"}, binary, "tail", "-n", "3", at)
	t.Log(top.shows("treq-telemetry http://", "chats        20 ", "Modelos", "llama-3.1-8b", "Serviços", "treq-backend"))
	tail.shows("POST /chat · ")
	demo("5")
	top.shows("chats        25 ")
	e2etest.Eventually(t, settled, func() error {
		text, err := tail.text()
		if n := strings.Count(text, "POST /chat · "); err == nil && n != 3+5 {
			return fmt.Errorf("%d runs, not those three and the five that came:\n%s", n, text)
		}
		return err
	})
	top.press("q")
	if left := top.shows("ended"); strings.Contains(left, "Modelos") {
		t.Errorf("the picture stays behind:\n%s", left)
	}
	tail.press("C-c")
	tail.shows("ended")
	t.Log(newScreen(t, []string{"LANG=en_US.UTF-8"}, binary, "doctor", at).shows("✓ the clocks agree", "ended"))

	// Into a pipe goes one picture without a colour.
	piped, err := exec.Command(binary, "top", at).Output()
	if err != nil || strings.Contains(string(piped), "\x1b") || !strings.Contains(string(piped), "Models") {
		t.Errorf("into a pipe: %v\n%s", err, piped)
	}
	server.Terminate()
	var gone *exec.ExitError
	if _, err := exec.Command(binary, "doctor", at).Output(); !errors.As(err, &gone) || gone.ExitCode() != 1 {
		t.Errorf("of a service that is gone: %v", err)
	}
}
