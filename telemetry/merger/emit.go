package merger

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry/journal"
	"treq/telemetry/judgement"
	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// Door names the records that the merger appends.
const Door = "langsmith"

const (
	// fullBytes is how much waits to be appended before records are no longer read.
	fullBytes = 1 << 20
	// maxRoute bounds the project and tenant that are kept with a record, as the
	// doors do; a longer project stands in the spans alone.
	maxRoute = 256
)

// outbox holds what is to be appended. It keeps the order of spans within a project.
type outbox struct {
	groups []*group
	size   int
	// judgements are whole log requests.
	judgements []verdict
}

// group is spans that go into one record.
type group struct {
	project, tenant, sdk string
	spans                []otlp.SpanData
	source               journal.Position
}

type verdict struct {
	body   []byte
	hash   [16]byte
	source journal.Position
}

func (o *outbox) empty() bool { return len(o.groups) == 0 && len(o.judgements) == 0 }

func (o *outbox) full() bool { return o.size >= fullBytes }

func (o *outbox) add(e *ended, source journal.Position) {
	project, sdk := e.run.Service(), e.run.SDK()
	var into *group
	for _, g := range o.groups {
		if g.project == project && g.tenant == e.tenant && g.sdk == sdk {
			into = g
		}
	}
	if into == nil {
		into = &group{project: project, tenant: e.tenant, sdk: sdk}
		o.groups = append(o.groups, into)
	}
	into.source = source
	into.spans = append(into.spans, e.run.Span(e.span, e.parent, e.state))
	o.size += e.run.Size()
}

// judge adds a judgement that came in a record. One without a time is of when the
// record was admitted, so that reading it again gives the same.
func (o *outbox) judge(j *judgement.Judgement, source journal.Position, at time.Time) {
	if j.Time.IsZero() {
		j.Time = at
	}
	v := verdict{body: judgement.Append(nil, j), source: source}
	v.hash = hashOf(v.body, source)
	o.judgements = append(o.judgements, v)
	o.size += len(v.body)
}

// hashOf names a judgement of a record: the same one of another record is another.
func hashOf(body []byte, source journal.Position) [16]byte {
	return xxh3.Hash128Seed(binary.LittleEndian.AppendUint64(body[:len(body):len(body)], uint64(source)), 0).Bytes()
}

// entry makes the record of a group.
func (g *group) entry() *journal.Entry {
	e := &journal.Entry{
		Kind: journal.Derived, Door: Door, Items: uint32(len(g.spans)), Check: uint64(g.source),
		Body: otlp.AppendTraceRequest(nil, otlp.ResourceData{
			Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, g.project)},
			Scopes:     []otlp.ScopeData{{Name: semconv.LSScope, Version: g.sdk, Spans: g.spans}},
		}),
	}
	if len(g.project) <= maxRoute {
		e.Project = g.project
	}
	if len(g.tenant) <= maxRoute {
		e.Tenant = g.tenant
	}
	return e
}

// flush appends what is in the outbox. Where the log has no room it tries again
// until ctx ends; then what is not appended comes again at the next start.
func (m *Merger) flush(ctx context.Context) error {
	for len(m.out.groups) > 0 {
		g := m.out.groups[0]
		if err := m.append(ctx, g.entry()); err != nil {
			return err
		}
		m.spans.Add(uint64(len(g.spans)))
		m.out.groups = m.out.groups[1:]
	}
	for len(m.out.judgements) > 0 {
		v := m.out.judgements[0]
		e := &journal.Entry{Kind: journal.Logs, Door: Door, Items: 1, Hash: v.hash, Check: uint64(v.source), Body: v.body}
		if err := m.append(ctx, e); err != nil {
			return err
		}
		m.out.judgements = m.out.judgements[1:]
	}
	m.out = outbox{}
	return nil
}

func (m *Merger) append(ctx context.Context, e *journal.Entry) error {
	for {
		_, err := m.o.Log.Append(ctx, e)
		if err == nil {
			m.refused = time.Time{}
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if now := m.o.Now(); now.Sub(m.refused) >= time.Minute {
			m.refused = now
			m.log.Warn("runs that have ended cannot be appended to the journal; it is tried again", "error", err)
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// again is the pause after the log refused.
const again = 500 * time.Millisecond

// appended are the runs and judgements that were appended behind a checkpoint.
type appended struct {
	runs       map[langsmith.ID]struct{}
	judgements map[[16]byte]struct{}
}

// Resource is called by the scanner.
func (a *appended) Resource(*otlp.Resource) {}

// Scope is called by the scanner.
func (a *appended) Scope(*otlp.Scope) {}

// Span is called by the scanner.
func (a *appended) Span(sp *otlp.Span) {
	for i := range sp.Attributes {
		if at := &sp.Attributes[i]; string(at.Key) == semconv.LSSpanID {
			if id, err := langsmith.ParseID(string(at.Value.Bytes)); err == nil {
				a.runs[id] = struct{}{}
			}
			return
		}
	}
}

// since finds what was appended behind a position.
func (a *appended) since(log Log, from, to journal.Position) error {
	a.runs, a.judgements = map[langsmith.ID]struct{}{}, map[[16]byte]struct{}{}
	c, err := log.NewCursor("runs-appended", from, false)
	if err != nil {
		return err
	}
	defer c.Close()
	c.Only(func(k journal.Kind) bool { return k == journal.Derived })
	var scanner otlp.Scanner
	for c.Position() < to {
		rec, err := c.TryNext()
		if err != nil || rec == nil {
			return err
		}
		switch {
		case rec.Kind == journal.Derived:
			if data, err := rec.Data(); err == nil {
				_ = scanner.Traces(data, a) // what does not scan was damaged, and is not read by anybody
			}
		case rec.Kind == journal.Logs && rec.Door == Door:
			a.judgements[rec.Hash] = struct{}{}
		}
		rec.Release()
	}
	return nil
}
