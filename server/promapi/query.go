package promapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// mostPoints is how many values of one series a range query may ask for.
const mostPoints = 11000

func (a *API) query(ctx context.Context, f form) (any, []string, error) {
	at, err := f.time("time", a.o.Now())
	if err != nil {
		return nil, nil, err
	}
	return a.run(ctx, f, func(ctx context.Context, o promql.QueryOpts) (promql.Query, error) {
		return a.o.Store.Engine().NewInstantQuery(ctx, a.o.Store.Queryable(), o, f.get("query"), at)
	})
}

func (a *API) queryRange(ctx context.Context, f form) (any, []string, error) {
	start, err := f.mustTime("start")
	if err != nil {
		return nil, nil, err
	}
	end, err := f.mustTime("end")
	if err != nil {
		return nil, nil, err
	}
	if end.Before(start) {
		return nil, nil, invalid("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(f.get("step"))
	if err != nil {
		return nil, nil, invalid("step", err)
	}
	if step <= 0 {
		return nil, nil, invalid("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	}
	if end.Sub(start)/step > mostPoints {
		return nil, nil, fail(badData, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
	}
	return a.run(ctx, f, func(ctx context.Context, o promql.QueryOpts) (promql.Query, error) {
		return a.o.Store.Engine().NewRangeQuery(ctx, a.o.Store.Queryable(), o, f.get("query"), start, end, step)
	})
}

// run executes a query when its turn comes, within the time that was asked for.
func (a *API) run(ctx context.Context, f form, prepare func(context.Context, promql.QueryOpts) (promql.Query, error)) (any, []string, error) {
	limit, err := f.limit()
	if err != nil {
		return nil, nil, err
	}
	if text := f.get("timeout"); text != "" {
		within, err := parseDuration(text)
		if err != nil {
			return nil, nil, invalid("timeout", err)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	var lookback time.Duration
	if text := f.get("lookback_delta"); text != "" {
		if lookback, err = parseDuration(text); err != nil {
			return nil, nil, fail(badData, "error parsing lookback delta duration: %w", err)
		}
	}
	q, err := prepare(ctx, promql.NewPrometheusQueryOpts(false, lookback))
	if err != nil {
		return nil, nil, invalid("query", err)
	}
	defer q.Close()
	release, err := a.o.Store.Turn(ctx)
	if err != nil {
		return nil, nil, failed(err)
	}
	defer release()
	got := q.Exec(ctx)
	if got.Err != nil {
		return nil, nil, failed(got.Err)
	}
	var warnings []string
	if w, infos := got.Warnings.AsStrings(f.get("query"), 10, 10); len(w)+len(infos) > 0 {
		warnings = append(w, infos...)
	}
	if truncate(got, limit) {
		warnings = append(warnings, truncated)
	}
	// The points go back to the engine with the query, so they are spelled now.
	var b bytes.Buffer
	if err := (&result{got}).write(&b); err != nil {
		return nil, nil, err
	}
	return json.RawMessage(b.Bytes()), warnings, nil
}

const truncated = "results truncated due to limit"

func truncate(r *promql.Result, limit int) bool {
	if limit <= 0 {
		return false
	}
	switch v := r.Value.(type) {
	case promql.Vector:
		if len(v) > limit {
			r.Value = v[:limit]
			return true
		}
	case promql.Matrix:
		if len(v) > limit {
			r.Value = v[:limit]
			return true
		}
	}
	return false
}

func (a *API) exemplars(ctx context.Context, f form) (any, []string, error) {
	start, end, err := f.between()
	if err != nil {
		return nil, nil, err
	}
	if end < start {
		return nil, nil, errors.New("end timestamp must not be before start timestamp")
	}
	expr, err := a.parser.ParseExpr(f.get("query"))
	if err != nil {
		return nil, nil, err
	}
	selectors := parser.ExtractSelectors(expr)
	if len(selectors) == 0 {
		return []any{}, nil, nil
	}
	q, err := a.o.Store.Exemplars().ExemplarQuerier(ctx)
	if err != nil {
		return nil, nil, failed(err)
	}
	list, err := q.Select(start, end, selectors...)
	if err != nil {
		return nil, nil, failed(err)
	}
	type one struct {
		Labels    any    `json:"labels"`
		Value     string `json:"value"`
		Timestamp any    `json:"timestamp"`
	}
	type of struct {
		Series    any   `json:"seriesLabels"`
		Exemplars []one `json:"exemplars"`
	}
	shown := []of{}
	for _, r := range list {
		s := of{Series: r.SeriesLabels, Exemplars: []one{}}
		for _, e := range r.Exemplars {
			s.Exemplars = append(s.Exemplars, one{e.Labels, strconv.FormatFloat(e.Value, 'f', -1, 64), float64(e.Ts) / 1000})
		}
		shown = append(shown, s)
	}
	return shown, nil, nil
}

func (a *API) formatQuery(_ context.Context, f form) (any, []string, error) {
	expr, err := a.parser.ParseExpr(f.get("query"))
	if err != nil {
		return nil, nil, invalid("query", err)
	}
	return expr.Pretty(0), nil, nil
}

// matchers reads match[].
func (a *API) matchers(f form) (sets [][]*matcher, err error) {
	if sets, err = a.parser.ParseMetricSelectors(f.values["match[]"]); err != nil {
		return nil, invalid("match[]", err)
	}
	for _, set := range sets {
		if !slices.ContainsFunc(set, func(m *matcher) bool { return !m.Matches("") }) {
			return nil, invalid("match[]", errors.New("match[] must contain at least one non-empty matcher"))
		}
	}
	return sets, nil
}
