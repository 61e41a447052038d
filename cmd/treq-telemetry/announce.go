package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"treq/server/config"
)

// announce prints what to open and what is set, once the doors are open.
func (p *process) announce(loaded config.Loaded, svc service, version string) {
	c := loaded.Config
	listen, otlpHTTP, otlpGRPC := svc.Addr()
	scheme := "http://"
	if c.TLS.On() {
		scheme = "https://"
	}
	base := scheme + reachable(listen)
	w := tabwriter.NewWriter(p.stdout, 0, 0, 3, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(w, "  %s\t%s\n", name, value) }
	fmt.Fprintf(w, "treq-telemetry %s\n\n", version)
	line("open", base+"/")
	line("numbers", base+"/monitoring/metrics")
	line("summary", base+"/monitoring/stats/summary")
	line("Prometheus", base+"/metrics")
	line("OTLP/HTTP", door(scheme, otlpHTTP, base))
	line("OTLP/gRPC", door("", otlpGRPC, reachable(listen)))
	line("data", dataDirectory(c))
	line("sinks", sinkNames(c))
	if c.Exposed() {
		line("reach", "every machine that finds "+listen)
	}
	fmt.Fprintln(w)
	_ = w.Flush()
}

// door names the standard port, or the one port where that is off.
func door(scheme, addr, one string) string {
	if addr == "" {
		return one
	}
	return scheme + reachable(addr) + " or " + one
}

// reachable writes an address as a person on this machine would open it.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || host == "127.0.0.1" || host == "::1" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func dataDirectory(c config.Config) string {
	path := c.DataDir
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if c.Ack == config.AckMemory {
		return path + " (acknowledged from memory)"
	}
	return path
}

func sinkNames(c config.Config) string {
	if len(c.Sinks) == 0 {
		return "none: traces stay here (set LANGSMITH_TRACING=true and LANGSMITH_API_KEY, or sinks in the file)"
	}
	names := make([]string, len(c.Sinks))
	for i, s := range c.Sinks {
		names[i] = s.Name
	}
	return strings.Join(names, ", ")
}

// newLogger writes text to a terminal and JSON elsewhere, unless told.
func newLogger(w io.Writer, format config.LogFormat, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == config.LogText || format == config.LogAuto && onTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
