package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"treq/server/config"
	"treq/telemetry"
	"treq/telemetry/export"
	"treq/telemetry/journal"
	"treq/telemetry/redact"
)

// openRedactor makes what takes out of requests what the settings say, or what they say
// with another word on content; nil where they say nothing. dir keeps the key of
// hashes where the settings have none.
func openRedactor(c config.Redact, dir string, content export.Content) (*redact.Redactor, error) {
	if !c.On() && content != export.ContentNone {
		return nil, nil
	}
	rules, err := redactRules(c)
	if err != nil {
		return nil, fmt.Errorf("redact.file: %w", err)
	}
	if c.Content == config.ContentNone {
		rules.Content = redact.NoContent
	}
	switch content {
	case export.ContentKeep:
		rules.Content = redact.KeepContent
	case export.ContentNone: // alone: its other half is the word to keep it
		rules = redact.Rules{Content: redact.NoContent}
	}
	if rules.Key = c.Key; rules.Key.IsZero() {
		key, err := keptKey(filepath.Join(dir, "redact.key"))
		if err != nil {
			return nil, fmt.Errorf("the key of redaction: %w", err)
		}
		rules.Key = key
	}
	if rules.Empty() {
		return nil, nil
	}
	return redact.New(rules)
}

// keptKey reads the key that a file holds, and makes one where there is none: hashes
// of one data directory stay comparable over restarts.
func keptKey(path string) (telemetry.Secret, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var key [32]byte
		_, _ = rand.Read(key[:]) // never fails
		text = []byte(hex.EncodeToString(key[:]) + "\n")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return telemetry.Secret{}, err
	}
	key := strings.TrimSpace(string(text))
	if len(key) < 16 {
		return telemetry.Secret{}, fmt.Errorf("%s is damaged: remove it, and equal values get other hashes from then on", path)
	}
	return telemetry.NewSecret(key), nil
}

// appender is where the doors put what they take in.
type appender interface {
	Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error)
}

// redactedLog stands between all doors and the log, so that nothing comes by a door
// that does not pass it. Hashes that tell a repeated request were made before.
type redactedLog struct {
	log      appender
	redactor *redact.Redactor
}

// Append puts an entry into the log, as it came where nothing in it was found.
func (l redactedLog) Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error) {
	body := e.Body
	if e.Encoding != journal.Identity {
		body = e.Decoded
	}
	clean, err := redacted(l.redactor, e.Kind, body)
	if err != nil {
		if e.Release != nil {
			e.Release()
		}
		return journal.Receipt{}, err
	}
	if len(clean) != len(body) || len(clean) > 0 && &clean[0] != &body[0] {
		// What the doors handed over is theirs again with Release, at the same time as before.
		e.Body, e.Decoded, e.Encoding = clean, nil, journal.Identity
	}
	return l.log.Append(ctx, e)
}

// redacted gives the body of a record with what is looked for taken out.
func redacted(r *redact.Redactor, kind journal.Kind, body []byte) ([]byte, error) {
	switch kind {
	case journal.Traces, journal.Derived:
		return r.Traces(body)
	case journal.Logs, journal.Posts:
		return r.Logs(body)
	case journal.Metrics:
		return r.Metrics(body)
	case journal.Runs:
		return r.Runs(body), nil
	}
	return body, nil
}

// redactedCounts are the figures of what was taken out since the start.
type redactedCounts struct{ redactor *redact.Redactor }

var redactedDesc = prometheus.NewDesc("treq_redacted_total", "Pieces of text that were taken out, by what they were.", []string{"kind"}, nil)

// Describe implements prometheus.Collector.
func (c redactedCounts) Describe(ch chan<- *prometheus.Desc) { ch <- redactedDesc }

// Collect implements prometheus.Collector.
func (c redactedCounts) Collect(ch chan<- prometheus.Metric) {
	for kind, n := range c.redactor.Counts() {
		ch <- prometheus.MustNewConstMetric(redactedDesc, prometheus.CounterValue, float64(n), kind)
	}
}

// redaction is what becomes of what comes in and leaves.
type redaction struct {
	redactor *redact.Redactor // nil where nothing is looked for
	// rules and strip are its halves, for sinks with their own word on content; nil where
	// no sink has one.
	rules, strip *redact.Redactor
	// doors is where the doors put what they take in, judgements where judgements of
	// runs go: these leave by ways of their own, so that they are always clean.
	doors, judgements appender
}

// openRedaction decides on it, once the log is open.
func (s *Server) openRedaction(p *parts) error {
	s.redaction.doors, s.redaction.judgements = p.journal, p.journal
	if err := s.openContent(); err != nil {
		return err
	}
	r, err := openRedactor(s.config.Redact, s.config.DataDir, "")
	if err != nil || r == nil {
		return err
	}
	clean := redactedLog{p.journal, r}
	s.redaction.redactor, s.redaction.judgements = r, judgementLog{clean}
	if s.config.Redact.At.Door() {
		s.redaction.doors = clean
	}
	s.log.Info("redaction is on", "at", string(s.config.Redact.At), "content", string(s.config.Redact.Content))
	return nil
}

// judgementLog takes out of log records only.
type judgementLog struct{ redactedLog }

// Append puts an entry into the log, log records without what is looked for.
func (l judgementLog) Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error) {
	if e.Kind != journal.Logs && e.Kind != journal.Posts {
		return l.log.Append(ctx, e)
	}
	return l.redactedLog.Append(ctx, e)
}

// openContent makes what sinks need that have their own word on content.
func (s *Server) openContent() (err error) {
	own := func(c export.Config) bool { return c.Content != "" }
	if !slices.ContainsFunc(s.config.Sinks, own) {
		return nil
	}
	if s.redaction.rules, err = openRedactor(s.config.Redact, s.config.DataDir, export.ContentKeep); err != nil {
		return err
	}
	s.redaction.strip, err = openRedactor(s.config.Redact, s.config.DataDir, export.ContentNone)
	return err
}

// forSinks is what is taken out of what leaves.
func (s *Server) forSinks() export.Redaction {
	by := func(r *redact.Redactor) export.Rewrite {
		if r == nil {
			return nil
		}
		return func(kind journal.Kind, body []byte) ([]byte, error) { return redacted(r, kind, body) }
	}
	return export.Redaction{
		Rewrite: by(s.redaction.redactor), RewriteAll: s.config.Redact.At.Sink(),
		Rules: by(s.redaction.rules), Strip: by(s.redaction.strip),
	}
}

// mergedLog is the log as the merger of native runs uses it.
type mergedLog struct {
	*journal.Journal
	judgements appender
}

// Append puts an entry into the log as judgements go.
func (l mergedLog) Append(ctx context.Context, e *journal.Entry) (journal.Receipt, error) {
	return l.judgements.Append(ctx, e)
}

func (s *Server) mergedLog(p *parts) mergedLog { return mergedLog{p.journal, s.redaction.judgements} }
