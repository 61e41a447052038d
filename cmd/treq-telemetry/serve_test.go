package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/server/config"
)

// fake is a service that tells what is asked of it and ends as it is told.
type fake struct {
	startErr error
	started  chan struct{}
	stopping chan context.Context
	release  chan error // what Stop returns
}

func newFake() *fake {
	return &fake{started: make(chan struct{}), stopping: make(chan context.Context, 1), release: make(chan error, 1)}
}

func (f *fake) Start() error {
	defer close(f.started)
	return f.startErr
}

func (f *fake) Addr() (string, string, string) { return "127.0.0.1:8002", "127.0.0.1:4318", "" }

// Reload takes what the server takes: everything but ack.
func (f *fake) Reload(load func() (config.Config, error)) (taken, restart []string, err error) {
	next, err := load()
	if err != nil {
		return nil, nil, err
	}
	for _, key := range config.Differences(config.Defaults(), next) {
		switch key {
		case "ack":
			restart = append(restart, key)
		case "log.level":
			taken = append(taken, key)
		}
	}
	return taken, restart, nil
}

// StopWithin bounds the stop as the product does.
func (f *fake) StopWithin() time.Duration { return 10 * time.Second }

func (f *fake) Stop(ctx context.Context) error {
	f.stopping <- ctx
	return <-f.release
}

// serving runs the serve command on a fake service and gives its outcome.
func serving(t *testing.T, f *fake, reload func() (config.Loaded, error)) (outcome chan error, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	p := &process{stdout: stdout, stderr: stderr, newService: func(context.Context, config.Config, *slog.Logger, string) (service, error) {
		return f, nil
	}}
	loaded, err := config.Load(config.Sources{Env: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	outcome = make(chan error, 1)
	go func() { outcome <- p.serve(t.Context(), loaded, reload) }()
	<-f.started
	return outcome, stdout, stderr
}

func raise(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
		t.Fatal(err)
	}
}

func TestSignalStops(t *testing.T) {
	f := newFake()
	outcome, stdout, _ := serving(t, f, nil)
	raise(t, syscall.SIGTERM)
	ctx := <-f.stopping
	if _, bounded := ctx.Deadline(); !bounded {
		t.Error("a stop has no bound")
	}
	f.release <- nil
	if err := <-outcome; err != nil {
		t.Errorf("serve = %v, want a clean stop", err)
	}
	for _, want := range []string{
		"http://localhost:8002/monitoring/metrics", "http://localhost:4318 or http://localhost:8002", "none: traces stay here",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the start does not print %q:\n%s", want, stdout)
		}
	}
}

func TestSecondSignalForces(t *testing.T) {
	f := newFake()
	outcome, _, _ := serving(t, f, nil)
	raise(t, syscall.SIGINT)
	<-f.stopping
	raise(t, syscall.SIGINT)
	if err := <-outcome; !errors.Is(err, errForced) {
		t.Errorf("serve = %v, want %v", err, errForced)
	}
	f.release <- nil
}

func TestStopFails(t *testing.T) {
	f := newFake()
	outcome, _, _ := serving(t, f, nil)
	raise(t, syscall.SIGTERM)
	broken := errors.New("the disk is gone")
	f.release <- broken
	if err := <-outcome; !errors.Is(err, broken) {
		t.Errorf("serve = %v, want the error of the stop", err)
	}
	<-f.stopping
}

func TestStartFails(t *testing.T) {
	f := newFake()
	f.startErr = errors.New("the data directory is locked")
	f.release <- nil
	outcome, stdout, _ := serving(t, f, nil)
	if err := <-outcome; !errors.Is(err, f.startErr) {
		t.Errorf("serve = %v, want the error of the start", err)
	}
	if stdout.Len() > 0 {
		t.Errorf("a failed start announces itself:\n%s", stdout)
	}
	<-f.stopping // what was opened is closed again
}

func TestHangupReloads(t *testing.T) {
	for name, tt := range map[string]struct {
		reload func() (config.Loaded, error)
		want   string
	}{
		"changed": {func() (config.Loaded, error) {
			return config.Load(config.Sources{Env: func(string) string { return "" }, Flags: map[string]string{"ack": "memory"}})
		}, `"keys":["ack"]`},
		"taken": {func() (config.Loaded, error) {
			return config.Load(config.Sources{Env: func(string) string { return "" }, Flags: map[string]string{"log-level": "debug"}})
		}, `"msg":"settings changed","keys":["log.level"]`},
		"unchanged": {func() (config.Loaded, error) {
			return config.Load(config.Sources{Env: func(string) string { return "" }})
		}, "settings are unchanged"},
		"bad": {func() (config.Loaded, error) {
			return config.Load(config.Sources{Env: func(string) string { return "" }, Flags: map[string]string{"ack": "x"}})
		}, "none of fsync, memory"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake()
			reached := make(chan struct{})
			outcome, _, stderr := serving(t, f, func() (config.Loaded, error) {
				close(reached)
				return tt.reload()
			})
			raise(t, syscall.SIGHUP)
			<-reached
			raise(t, syscall.SIGTERM) // waits for the first: one goroutine handles both
			<-f.stopping
			f.release <- nil
			if err := <-outcome; err != nil {
				t.Fatalf("serve = %v", err)
			}
			if !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("the log does not say %q:\n%s", tt.want, stderr)
			}
		})
	}
}

func TestExposedWithoutTokenWarns(t *testing.T) {
	for _, tt := range []struct {
		flags map[string]string
		warns bool
	}{
		{map[string]string{}, false},
		{map[string]string{"listen": ":8002"}, true},
		{map[string]string{"otlp-grpc": ":4317"}, true},
		{map[string]string{"listen": ":8002", "ingest-token": "secret"}, false},
	} {
		loaded, err := config.Load(config.Sources{Env: func(string) string { return "" }, Flags: tt.flags})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		warnExposed(slog.New(slog.NewTextHandler(&b, nil)), loaded.Config)
		if warns := strings.Contains(b.String(), "--ingest-token"); warns != tt.warns {
			t.Errorf("flags %v: warns = %v, want %v", tt.flags, warns, tt.warns)
		}
	}
}

func TestLoggerFollowsTheFormat(t *testing.T) {
	for format, want := range map[config.LogFormat]string{
		config.LogJSON: `{"time":`, config.LogText: "time=", config.LogAuto: `{"time":`, // no terminal here
	} {
		var b bytes.Buffer
		newLogger(io.Writer(&b), format, slog.LevelInfo).Info("hello")
		if !strings.HasPrefix(b.String(), want) {
			t.Errorf("format %s logs %q, want it to start with %q", format, b.String(), want)
		}
	}
}
