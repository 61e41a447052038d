package runs

import (
	"context"

	"treq/telemetry"
	"treq/telemetry/journal"
	"treq/telemetry/otlp"
	"treq/telemetry/understand"
)

// mostBytes bounds what one run is read from, decompressed.
const mostBytes = 64 << 20

// Get gives the run that an id means: the trace of a trace id (also written as a
// UUID), the span and what is below it of a span id (also right-aligned in a zero
// UUID) or of the id that a span carries as langsmith.span.id or treq.run.id. An id
// that several traces have means the newest. With explain it says what the spans
// counted for, as the meter counts a trace to which nothing is added any more. An error of kind NotFound says how far
// back was searched.
func (v *Viewer) Get(ctx context.Context, id string, explained bool) (*Run, error) {
	w, err := want(id)
	if err != nil {
		return nil, err
	}
	p, err := v.locate(ctx, w)
	if telemetry.KindOf(err) == telemetry.NotFound {
		p, err = v.locateGoing(ctx, w, err)
	}
	if err != nil {
		return nil, err
	}
	c, err := newCollector(v.o.Rules, p.trace)
	if err != nil {
		return nil, err
	}
	var scanner otlp.Scanner
	var project string
	var pieces []understand.Record
	room := mostBytes
	c.cut = len(p.positions) >= mostRecords
	err = v.at(ctx, p.positions, func(rec *journal.Record, body []byte) bool {
		// A record that does not scan was counted as damaged by whoever counts.
		_ = scanner.Traces(body, c)
		pieces = append(pieces, piece(rec, body, p.trace))
		if project == "" {
			project = rec.Project
		}
		room -= len(body)
		c.cut = c.cut || room <= 0
		return room > 0
	})
	if err != nil {
		return nil, err
	}
	repeated := c.repeated
	for _, going := range [][]byte{v.o.Going(p.trace), p.going} {
		_ = scanner.Traces(going, c) // what is there already has ended meanwhile
	}
	c.repeated = repeated
	if len(c.spans) == 0 {
		return nil, errNoSpans
	}
	run := v.document(c, &p, project)
	whole := run.Tree[0].parent == [8]byte{} || p.span == [8]byte{}
	if run.Judgements, err = v.judgements(ctx, p.trace, run.Tree, whole); err != nil {
		return nil, err
	}
	counted, err := explain(v.priced(), c, pieces)
	if err != nil {
		return nil, err
	}
	run.Summary.sum(run.Tree, run.Judgements)
	if explained {
		run.Counted = counted
	} else {
		for _, s := range c.spans {
			s.Explanation = nil
		}
	}
	return run, nil
}

func (v *Viewer) document(c *collector, p *place, project string) *Run {
	roots := tree(c.spans, c.byID)
	head := top(roots)
	run := &Run{Repeated: c.repeated, Truncated: c.cut, Search: p.search}
	run.Project = v.o.Links.project(c.projects[head], project)
	if s := c.byID[p.span]; s != nil {
		head, roots = s, []*Span{s}
		run.Project = v.o.Links.project(c.projects[s], run.Project)
	}
	run.Tree = roots
	run.Summary = summaryOf(c.trace, head, count(roots))
	run.LangSmithURL = v.o.Links.run(run.Project, run.RunID)
	return run
}
