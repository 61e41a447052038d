package promapi

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"treq/server/history"
)

type matcher = labels.Matcher

// looking is a question about which series there are.
type looking struct {
	storage.Querier
	start, end int64
	sets       [][]*matcher
	limit      int
}

// look reads the parameters of such a question. The caller closes it.
func (a *API) look(f form) (l looking, err error) {
	if l.limit, err = f.limit(); err != nil {
		return l, err
	}
	if l.start, l.end, err = f.between(); err != nil {
		return l, err
	}
	if l.sets, err = a.matchers(f); err != nil {
		return l, err
	}
	if l.Querier, err = a.o.Store.Queryable().Querier(l.start, l.end); err != nil {
		return l, failed(err)
	}
	return l, nil
}

func (a *API) series(ctx context.Context, f form) (any, []string, error) {
	if len(f.values["match[]"]) == 0 {
		return nil, nil, errNoMatch
	}
	l, err := a.look(f)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	hints := &storage.SelectHints{Start: l.start, End: l.end, Func: "series"}
	sets := make([]storage.SeriesSet, len(l.sets))
	for i, set := range l.sets {
		sets[i] = l.Select(ctx, len(l.sets) > 1, hints, set...)
	}
	set := sets[0]
	if len(sets) > 1 {
		set = storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	}
	found := []labels.Labels{}
	for set.Next() {
		if l.limit > 0 && len(found) == l.limit {
			return found, []string{truncated}, nil
		}
		found = append(found, set.At().Labels())
	}
	if set.Err() != nil {
		return nil, nil, failed(set.Err())
	}
	return found, nil, nil
}

func (a *API) labelNames(ctx context.Context, f form) (any, []string, error) {
	l, err := a.look(f)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	return l.words(func(set []*matcher) ([]string, error) {
		words, _, err := l.LabelNames(ctx, nil, set...)
		return words, err
	})
}

func (a *API) labelValues(ctx context.Context, f form, name string) (any, []string, error) {
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return nil, nil, fail(badData, "invalid label name: %q", name)
	}
	l, err := a.look(f)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	return l.words(func(set []*matcher) ([]string, error) {
		words, _, err := l.LabelValues(ctx, name, nil, set...)
		return words, err
	})
}

// words gathers what every set of matchers gives, sorted, each once.
func (l looking) words(of func([]*matcher) ([]string, error)) (any, []string, error) {
	sets := l.sets
	if len(sets) == 0 {
		sets = [][]*matcher{nil}
	}
	found := []string{}
	for _, set := range sets {
		words, err := of(set)
		if err != nil {
			return nil, nil, failed(err)
		}
		found = append(found, words...)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if l.limit > 0 && len(found) > l.limit {
		return found[:l.limit], []string{truncated}, nil
	}
	return found, nil, nil
}

func (a *API) metadata(_ context.Context, f form) (any, []string, error) {
	limit := -1
	if text := f.get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil {
			return nil, nil, errors.New("limit must be a number")
		}
	}
	if text := f.get("limit_per_metric"); text != "" {
		if _, err := strconv.Atoi(text); err != nil {
			return nil, nil, errors.New("limit_per_metric must be a number")
		}
	}
	found := map[string][]history.Metadata{}
	for name, m := range a.o.Store.Metadata() {
		if limit >= 0 && len(found) >= limit {
			break
		}
		if want := f.get("metric"); want == "" || want == name {
			found[name] = []history.Metadata{m}
		}
	}
	return found, nil, nil
}
