package history

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// SamplingTime gives when this process, or one before it on the same data
// directory, sampled last before a time. Where history does not reach back that
// far it gives the oldest sampling, and reaches is false; zero where there is none.
func (s *Store) SamplingTime(at time.Time) (when time.Time, reaches bool, err error) {
	t, found, err := s.lastSampling(at.UnixMilli())
	if err != nil {
		return time.Time{}, false, err
	}
	if found {
		return time.UnixMilli(t), true, nil
	}
	if t, found, err = s.firstSampling(at.UnixMilli()); err != nil || !found {
		return time.Time{}, false, err
	}
	return time.UnixMilli(t), false, nil
}

// Sampling gives the values that a sampling had, of metrics of these names. The
// label function gives "" for a label that is not there.
func (s *Store) Sampling(ctx context.Context, when time.Time, names []string, each func(name string, label func(string) string, value float64)) error {
	// An alternation of plain words is looked up, not matched.
	named, err := labels.NewMatcher(labels.MatchRegexp, model.MetricNameLabel, strings.Join(names, "|"))
	if err != nil {
		return err
	}
	return s.samplesAt(ctx, when.UnixMilli(), []*labels.Matcher{named}, func(l labels.Labels, v float64) {
		each(l.Get(model.MetricNameLabel), l.Get, v)
	})
}
