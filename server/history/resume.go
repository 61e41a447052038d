package history

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// resume learns from the database what the newest sampling of this instance had,
// so that series go on where an earlier process left them.
func (s *sampler) resume(store *Store) error {
	s.scraper = scraper{job: Job, instance: store.o.Instance, builder: labels.NewScratchBuilder(16)}
	s.known = map[uint64][]*series{}
	last, found, err := store.lastSampling(math.MaxInt64)
	if err != nil || !found {
		return err
	}
	s.last = last
	return store.samplesAt(context.Background(), last, nil, func(l labels.Labels, v float64) {
		// What rules record may keep our labels, and is not ours to end.
		if strings.Contains(l.Get(model.MetricNameLabel), ":") {
			return
		}
		hash := l.Hash()
		s.known[hash] = append(s.known[hash], &series{labels: l, value: v})
		s.count++
	})
}

// target are the matchers of what this process sampled.
func (s *Store) target() []*labels.Matcher {
	return []*labels.Matcher{
		labels.MustNewMatcher(labels.MatchEqual, "job", Job),
		labels.MustNewMatcher(labels.MatchEqual, "instance", s.o.Instance),
	}
}

// lastSampling gives when the newest sampling not after a time was, in
// milliseconds. It looks near that time first.
func (s *Store) lastSampling(until int64) (at int64, found bool, err error) {
	until = min(until, s.newest())
	for _, back := range []time.Duration{4 * s.o.Step, time.Hour, 2 * 24 * time.Hour, 0} {
		from := until - back.Milliseconds()
		if back == 0 {
			from = math.MinInt64
		}
		err = s.each(context.Background(), from, until, s.upMatchers(), func(_ labels.Labels, it chunkenc.Iterator) error {
			for it.Next() == chunkenc.ValFloat {
				if t, v := it.At(); !value.IsStaleNaN(v) && t > at {
					at, found = t, true
				}
			}
			return it.Err()
		})
		if found || err != nil {
			return at, found, err
		}
	}
	return 0, false, nil
}

// firstSampling gives when the oldest sampling after a time was, in milliseconds.
func (s *Store) firstSampling(after int64) (at int64, found bool, err error) {
	err = s.each(context.Background(), after, s.newest(), s.upMatchers(), func(_ labels.Labels, it chunkenc.Iterator) error {
		if it.Next() == chunkenc.ValFloat {
			if t := it.AtT(); !found || t < at {
				at, found = t, true
			}
		}
		return it.Err()
	})
	return at, found, err
}

func (s *Store) upMatchers() []*labels.Matcher {
	return append(s.target(), labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, "up"))
}

// newest is the time of the newest sample of the database in milliseconds.
func (s *Store) newest() int64 {
	newest := int64(math.MinInt64)
	if t := s.db.Head().MaxTime(); t != math.MinInt64 {
		newest = t
	}
	for _, b := range s.db.Blocks() {
		newest = max(newest, b.MaxTime())
	}
	return newest
}

// samplesAt gives the values of a sampling, of those that also match.
func (s *Store) samplesAt(ctx context.Context, at int64, match []*labels.Matcher, f func(labels.Labels, float64)) error {
	return s.each(ctx, at, at, append(s.target(), match...), func(l labels.Labels, it chunkenc.Iterator) error {
		for it.Next() == chunkenc.ValFloat {
			if t, v := it.At(); t == at && !value.IsStaleNaN(v) {
				f(l, v)
			}
		}
		return it.Err()
	})
}

// each gives the series that match with their samples between two times.
func (s *Store) each(ctx context.Context, from, until int64, match []*labels.Matcher, f func(labels.Labels, chunkenc.Iterator) error) (err error) {
	q, err := s.db.Querier(from, until)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := q.Close(); err == nil {
			err = closeErr
		}
	}()
	set := q.Select(ctx, false, &storage.SelectHints{Start: from, End: until}, match...)
	var it chunkenc.Iterator
	for set.Next() {
		one := set.At()
		it = one.Iterator(it)
		if err := f(one.Labels(), it); err != nil {
			return err
		}
	}
	return set.Err()
}
