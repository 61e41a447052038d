package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// process is a running program and what it prints.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	out  output
}

// output keeps the beginning of what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() < 1<<20 {
		o.text.Write(b)
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// launch starts a program that dies with the bench.
func launch(binary string, args, env []string) (*process, error) {
	p := &process{cmd: exec.Command(binary, args...), done: make(chan struct{})}
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	go func() {
		_ = p.cmd.Wait() // killed, or what ended it is in its log
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int    { return p.cmd.Process.Pid }
func (p *process) log() string { return p.out.String() }

// ended tells that the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends the process as a crash would, and waits until it is gone.
func (p *process) kill() error {
	_ = p.cmd.Process.Kill() // an ended process is no error
	<-p.done
	return nil
}
