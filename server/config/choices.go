package config

import (
	"fmt"
	"log/slog"
	"strings"
)

// Ack is when a request is acknowledged.
type Ack string

// The acknowledgements (docs/architecture.md, section 2).
const (
	AckFsync  Ack = "fsync"  // when it is on disk
	AckMemory Ack = "memory" // when the kernel has it: survives kill -9, not a power cut
)

// UnmarshalText reads fsync or memory.
func (a *Ack) UnmarshalText(text []byte) error { return choose(a, text, AckFsync, AckMemory) }

// Semconv is a generation of the GenAI semantic conventions.
type Semconv string

// The generations (docs/semantics.md, section 5).
const (
	SemconvReleased Semconv = "released" // 1.41
	SemconvLatest   Semconv = "latest"   // the names that follow
	SemconvBoth     Semconv = "both"     // during a migration
)

// UnmarshalText reads released, latest or both.
func (c *Semconv) UnmarshalText(text []byte) error {
	return choose(c, text, SemconvReleased, SemconvLatest, SemconvBoth)
}

// LogFormat is how log lines look.
type LogFormat string

// The log formats.
const (
	LogAuto LogFormat = "auto" // text on a terminal, else json
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText reads auto, text or json.
func (f *LogFormat) UnmarshalText(text []byte) error {
	return choose(f, text, LogAuto, LogText, LogJSON)
}

// LogLevel is the least important line that is logged.
type LogLevel string

// The log levels.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// UnmarshalText reads debug, info, warn or error.
func (l *LogLevel) UnmarshalText(text []byte) error {
	return choose(l, text, LogDebug, LogInfo, LogWarn, LogError)
}

// Slog gives the level as log/slog has it.
func (l LogLevel) Slog() slog.Level {
	switch l {
	case LogDebug:
		return slog.LevelDebug
	case LogWarn:
		return slog.LevelWarn
	case LogError:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// choose sets *to to the choice that text names, without regard to case.
func choose[T ~string](to *T, text []byte, choices ...T) error {
	s := strings.TrimSpace(string(text))
	names := make([]string, len(choices))
	for i, c := range choices {
		if strings.EqualFold(s, string(c)) {
			*to = c
			return nil
		}
		names[i] = string(c)
	}
	return fmt.Errorf("%q is none of %s", s, strings.Join(names, ", "))
}
