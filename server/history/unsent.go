package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"treq/telemetry/durable"
)

// mostUnsent is how far back samplings are sent that an earlier process left:
// Prometheus takes nothing that is older than half of its first block's two hours.
const mostUnsent = time.Hour

// settledFile is the file in the database's directory that names the newest sampling
// which need not be sent elsewhere again, as milliseconds in decimal digits. What
// waits is in memory only: a process that is killed between storing a sampling and
// sending it would leave the other server without it, and, worse, without the zero
// that new counters begin with, so that all they had counted would be no gain there.
const settledFile = "remote-write.settled"

// unsent gives what earlier processes stored and could not send, and has the writer
// note from now on what is settled. A database that was not written elsewhere before
// is not sent.
func (s *Store) unsent() iter.Seq[request] {
	path, failing := filepath.Join(s.o.Dir, settledFile), false
	s.writer.settled = func(sampling int64) {
		err := durable.WriteFile(path, strconv.AppendInt(nil, sampling, 10))
		if err != nil && !failing {
			s.log.Error("what the remote history has cannot be noted; after a crash some is sent again", "error", err)
		}
		failing = err != nil
	}
	last := s.sampler.last
	settled, err := readSettled(path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Error("what the remote history has is not known; what an earlier process left is not sent", "error", err)
		}
		s.writer.settled(last)
		settled = last
	}
	return func(yield func(request) bool) {
		if settled >= last {
			return
		}
		if oldest := s.Now().Add(-mostUnsent).UnixMilli(); settled < oldest {
			if settled > 0 {
				s.log.Warn("the remote history will lack samples: it takes none this old", "from", time.UnixMilli(settled).UTC(), "until", time.UnixMilli(min(last, oldest)).UTC())
			}
			settled = oldest
		}
		for r, err := range s.samplings(settled, last) {
			if err != nil {
				s.log.Error("what an earlier process left cannot be sent to the remote history", "error", err)
				return
			}
			r.earlier = true
			if !yield(r) {
				return
			}
		}
	}
}

func readSettled(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	settled, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || settled < 0 {
		return 0, fmt.Errorf("%s holds no time", path)
	}
	return settled, nil
}

// samplings gives the samplings after one and until another as they were sent when
// they were stored, oldest first.
func (s *Store) samplings(after, until int64) iter.Seq2[request, error] {
	return func(yield func(request, error) bool) {
		var times []int64
		err := s.each(context.Background(), after+1, until, s.upMatchers(), func(_ labels.Labels, it chunkenc.Iterator) error {
			for it.Next() == chunkenc.ValFloat {
				times = append(times, it.AtT())
			}
			return it.Err()
		})
		slices.Sort(times)
		for _, t := range times {
			var samples []written
			if samples, err = s.sampledBetween(after, t); err != nil {
				break
			}
			for r := range requests(samples, t) {
				if !yield(r, nil) {
					return
				}
			}
			after = t + 1 // all of it was sent
		}
		if err != nil {
			yield(request{}, err)
		}
	}
}

// sampledBetween gives this process's samples of the sampling at a time, and the zeros
// since an earlier time with which counters begin that it was the first to have. What
// had been 0 for longer comes once more, which is no other sample.
func (s *Store) sampledBetween(since, at int64) (samples []written, err error) {
	err = s.each(context.Background(), since, at, s.target(), func(l labels.Labels, it chunkenc.Iterator) error {
		// What rules record may keep our labels; it is sent as it is recorded, or not.
		if strings.Contains(l.Get(model.MetricNameLabel), ":") {
			return nil
		}
		for it.Next() == chunkenc.ValFloat {
			if t, v := it.At(); t == at || v == 0 {
				samples = append(samples, written{l, t, v})
			}
		}
		return it.Err()
	})
	return samples, err
}
