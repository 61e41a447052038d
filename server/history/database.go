package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"

	"treq/telemetry"
)

// The shape of the database, for some thousand series rather than millions.
const (
	blockRange  = 2 * time.Hour
	stripes     = 1024
	segmentSize = 16 << 20
	exemplars   = 4096
)

func (s *Store) openDatabase() (*tsdb.DB, error) {
	db, err := s.tryDatabase()
	if err == nil {
		return db, nil
	}
	// Another directory would find the same.
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the history cannot be opened", Err: err}
	}
	aside, moveErr := s.quarantine()
	if moveErr != nil {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the history is damaged and cannot be set aside", Err: errors.Join(err, moveErr)}
	}
	s.log.Error("the history is damaged and set aside; a new one begins", "error", err, "kept_in", aside)
	if db, err = s.tryDatabase(); err != nil {
		return nil, &telemetry.Error{Kind: telemetry.Unavailable, Message: "the history cannot be opened", Err: err}
	}
	return db, nil
}

func (s *Store) tryDatabase() (db *tsdb.DB, err error) {
	// The database trusts the lengths in its index files.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("opening the database panicked: %v", p)
		}
	}()
	if err := os.MkdirAll(s.o.Dir, 0o700); err != nil {
		return nil, err
	}
	o := tsdb.DefaultOptions()
	o.RetentionDuration = s.o.Keep.Milliseconds()
	o.MaxBytes = s.o.MaxBytes
	o.MinBlockDuration = blockRange.Milliseconds()
	// As Prometheus does: a tenth of what is kept, so that whole blocks can go.
	o.MaxBlockDuration = max(blockRange, min(31*24*time.Hour, s.o.Keep/10)).Milliseconds()
	o.StripeSize = stripes
	o.WALSegmentSize = segmentSize
	o.WALCompression = compression.Snappy
	o.EnableExemplarStorage, o.MaxExemplars = true, exemplars
	// The journal's lock holds the whole data directory.
	o.NoLockfile = true
	return tsdb.Open(s.o.Dir, slog.New(calm{s.log.Handler()}).With("part", "history"), nil, o, nil)
}

// quarantine moves the directory aside. Of several, only the newest is kept, so
// that what is damaged again and again does not fill the disk.
func (s *Store) quarantine() (string, error) {
	dir := filepath.Clean(s.o.Dir)
	older, err := filepath.Glob(dir + ".damaged-*")
	if err != nil {
		return "", err
	}
	aside := dir + ".damaged-" + s.o.Now().UTC().Format("20060102T150405.000000000")
	if err := os.Rename(dir, aside); err != nil {
		return "", err
	}
	s.stats.quarantined.Add(1)
	for _, path := range older {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return aside, err
}

// calm makes what a library tells of its daily work a matter of debugging.
type calm struct{ slog.Handler }

// Enabled takes everything below a warning for debugging.
func (c calm) Enabled(ctx context.Context, level slog.Level) bool {
	if level < slog.LevelWarn {
		level = slog.LevelDebug
	}
	return c.Handler.Enabled(ctx, level)
}

// WithAttrs stays calm.
func (c calm) WithAttrs(attrs []slog.Attr) slog.Handler { return calm{c.Handler.WithAttrs(attrs)} }

// WithGroup stays calm.
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name)} }
