package history

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// Query evaluates PromQL at one time: here, or at the remote server if there is
// one. The value is the caller's. It does not wait for callers' turns, since what
// this process asks itself is known and light.
func (s *Store) Query(ctx context.Context, expr string, at time.Time) (parser.Value, error) {
	if s.remote != nil {
		return s.remote.query(ctx, expr, at)
	}
	q, err := s.engine.NewInstantQuery(ctx, s.db, nil, expr, at)
	if err != nil {
		return nil, err
	}
	return run(ctx, q)
}

// QueryRange evaluates PromQL at every step from start to end, both included: here,
// or at the remote server if there is one.
func (s *Store) QueryRange(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, error) {
	if s.remote != nil {
		return s.remote.queryRange(ctx, expr, start, end, step)
	}
	q, err := s.engine.NewRangeQuery(ctx, s.db, nil, expr, start, end, step)
	if err != nil {
		return nil, err
	}
	v, err := run(ctx, q)
	if err != nil {
		return nil, err
	}
	m, ok := v.(promql.Matrix)
	if !ok {
		return nil, errors.New("history: a range query gave no series")
	}
	return m, nil
}

// QueryVector evaluates PromQL at one time as rules do: a number is a series without
// labels. It is a rules.QueryFunc.
func (s *Store) QueryVector(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	v, err := s.Query(ctx, expr, at)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case promql.Vector:
		return v, nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V, Metric: labels.EmptyLabels()}}, nil
	default:
		return nil, errors.New("the result of a rule is neither a vector nor a number")
	}
}

// run executes a query and gives a value that outlives it.
func run(ctx context.Context, q promql.Query) (parser.Value, error) {
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	// Closing gives the points of a matrix back for reuse.
	if m, ok := result.Value.(promql.Matrix); ok {
		own := make(promql.Matrix, len(m))
		for i, series := range m {
			own[i] = promql.Series{
				Metric:     series.Metric,
				Floats:     append([]promql.FPoint(nil), series.Floats...),
				Histograms: append([]promql.HPoint(nil), series.Histograms...),
			}
		}
		return own, nil
	}
	return result.Value, nil
}
