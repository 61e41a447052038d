package e2etest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyWithin bounds the wait for /readyz; a healthy start takes milliseconds.
const readyWithin = 60 * time.Second

// Spec says how to run the product. The zero value runs it on free ports without
// a configuration file; DataDir is required.
type Spec struct {
	// DataDir is --data-dir.
	DataDir string
	// Config is the text of the configuration file, "" for none.
	Config string
	// Env is added to an environment that holds nothing but PATH and HOME.
	Env []string
	// Args follow the command's own.
	Args []string
}

// Process is one running product, or one that has ended. Its methods are safe for
// concurrent use except Relaunch.
type Process struct {
	// Addr, HTTP and GRPC are host:port of the one port, 4318's and 4317's stand-in.
	Addr, HTTP, GRPC string

	spec Spec
	log  *tail
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of cmd.Wait, once done is closed
}

// Launch starts the product and returns without waiting for readiness.
func Launch(spec Spec) (*Process, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	p := &Process{Addr: ports[0], HTTP: ports[1], GRPC: ports[2], spec: spec, log: &tail{limit: 256 << 10}}
	return p, p.Relaunch()
}

// Relaunch starts an ended process again, on the same ports and data directory.
func (p *Process) Relaunch() error {
	binary, err := Binary()
	if err != nil {
		return err
	}
	args := []string{"serve", "--listen", p.Addr, "--otlp-http", p.HTTP, "--otlp-grpc", p.GRPC, "--data-dir", p.spec.DataDir}
	if p.spec.Config != "" {
		path := filepath.Join(filepath.Dir(p.spec.DataDir), filepath.Base(p.spec.DataDir)+".yaml")
		if err := os.WriteFile(path, []byte(p.spec.Config), 0o600); err != nil {
			return err
		}
		args = append(args, "--config", path)
	}
	cmd := exec.Command(binary, append(args, p.spec.Args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, p.spec.Env...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the product: %w", err)
	}
	p.cmd, p.done = cmd, make(chan struct{})
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return nil
}

// Configure replaces the text of the configuration file for the next Relaunch.
func (p *Process) Configure(text string) { p.spec.Config = text }

// AwaitReady waits until /readyz answers 200. It fails when the process ends first.
func (p *Process) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var last error
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Addr+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		switch {
		case err != nil:
			last = err
		case response.StatusCode == http.StatusOK:
			drain(response)
			return nil
		default:
			last = errors.New(response.Status)
			drain(response)
		}
		select {
		case <-p.done:
			return fmt.Errorf("the product ended before it was ready: %v", p.err)
		case <-ctx.Done():
			return fmt.Errorf("the product is not ready: %w", last)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal; an ended process is no error.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Exit waits for the end and gives the exit code, -1 for a death by signal.
func (p *Process) Exit(within time.Duration) (int, error) {
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-limit.C:
		return 0, fmt.Errorf("the product still runs after %v", within)
	}
}

// Kill ends the process as a crash would, and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	_, err := p.Exit(30 * time.Second)
	return err
}

// Log gives the end of what all runs of the process wrote to stdout and stderr.
func (p *Process) Log() string { return p.log.String() }

// tail keeps the last bytes written to it.
type tail struct {
	mu    sync.Mutex
	buf   []byte
	limit int
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - t.limit; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ToValidUTF8(string(t.buf), "?")
}
