package export

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"treq/telemetry/langsmith"
	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// TryName is the name of the span and the run that Try sends, and their service's.
const TryName = "treq-telemetry sinks test"

// Answer is what a sink said to one marked trace.
type Answer struct {
	Sink, Profile string
	// Protocol is in what the trace was told, Endpoint where, without what may be secret.
	Protocol, Endpoint string
	// Trace is the trace's id: hexadecimal, of a run its UUID.
	Trace string
	// Taken tells that the sink kept the trace, and Said what it answered in words,
	// without secrets.
	Taken bool
	Said  string
	Took  time.Duration
}

// Try sends a sink one trace of one span, marked by its name and the attribute
// treq.test, without a journal and without a second attempt, and gives what it
// answered: two answers from a sink that takes runs and spans. Dir and Open of d are
// not used. The error tells that nothing could be sent at all: a configuration that
// does not validate, a certificate that does not read.
func Try(ctx context.Context, c Config, d Deps) ([]Answer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	s, err := newSender(c, d)
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", c.Name, err)
	}
	defer s.closeGRPC()
	if t, ok := s.transport.(*http.Transport); ok {
		defer t.CloseIdleConnections()
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	now := time.Now()
	a := Answer{Sink: c.Name, Profile: c.Profile, Protocol: c.Protocol, Endpoint: c.shownEndpoint(), Trace: hex.EncodeToString(id[:])}
	if c.Protocol == Native {
		a.Protocol = Protobuf
	}
	answers := []Answer{s.try(ctx, a, route{project: c.Project, tenant: c.Tenant}, piece{spans: 1, data: tried(id, now)})}
	if s.native == nil {
		return answers, nil
	}
	_, _ = rand.Read(id[9:])
	parcels, err := triedRun(id, now, c.Project)
	if err != nil {
		return nil, err
	}
	p := piece{}
	p.add(parcels[0])
	_, u := s.native.url(pathMultipart)
	a.Protocol, a.Endpoint, a.Trace = Native, u.String(), langsmith.ID(id).String()
	return append(answers, s.try(ctx, a, route{tenant: c.Tenant, path: pathMultipart}, p)), nil
}

// try makes the one attempt.
func (s *sender) try(ctx context.Context, a Answer, to route, p piece) Answer {
	b := &batch{route: to, pieces: []piece{p}, spans: p.spans}
	k := &packer{}
	var content body
	var err error
	switch {
	case to.path != "":
		content, _, _, err = k.packRuns(b, s.info(ctx))
	case s.json:
		content, _, _, err = k.packJSON(b, s.gzip)
	case s.gzip && s.grpc == nil:
		k.reset()
		k.compress([][]byte{p.data})
		content = body{chunks: [][]byte{k.packed.Bytes()}, size: int64(k.packed.Len()), gzip: true}
	default:
		content = body{chunks: [][]byte{p.data}, size: int64(len(p.data))}
	}
	if err != nil {
		a.Said = err.Error()
		return a
	}
	began := time.Now()
	out, released := s.send(ctx, to, content)
	<-released
	a.Took = time.Since(began)
	a.Taken = out.action == succeed && out.rejected == 0
	switch a.Said = out.reason; {
	case a.Said != "":
	case s.grpc != nil:
		a.Said = "gRPC OK"
	default:
		a.Said = fmt.Sprintf("HTTP %d %s", out.status, http.StatusText(out.status))
	}
	return a
}

func tried(id [16]byte, now time.Time) []byte {
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: []otlp.KV{otlp.Str(semconv.ServiceName, "treq-telemetry")},
		Scopes: []otlp.ScopeData{{Name: "treq-telemetry", Spans: []otlp.SpanData{{
			TraceID: id, SpanID: [8]byte(id[8:]), Name: TryName, Kind: otlp.KindInternal, Status: otlp.StatusOK,
			Start: uint64(now.Add(-time.Millisecond).UnixNano()), End: uint64(now.UnixNano()),
			Attributes: []otlp.KV{otlp.Str("treq.test", "true")},
		}}}},
	})
}

func triedRun(id langsmith.ID, now time.Time, project string) ([]langsmith.Parcel, error) {
	if project == "" {
		project = langsmith.DefaultProject
	}
	now = now.UTC()
	object, err := json.Marshal(map[string]any{
		"id": id.String(), "trace_id": id.String(), "dotted_order": now.Format("20060102T150405") + fmt.Sprintf("%06dZ", now.Nanosecond()/1000) + id.String(),
		"name": TryName, "run_type": "chain", "session_name": project,
		"start_time": now.Add(-time.Millisecond).Format(time.RFC3339Nano), "end_time": now.Format(time.RFC3339Nano),
		"inputs": map[string]string{"input": TryName}, "outputs": map[string]string{"output": "taken"}, "tags": []string{"treq.test"},
	})
	if err != nil {
		return nil, err
	}
	parcels, _, err := langsmith.Parcels(langsmith.AppendPost(nil, object))
	return parcels, err
}
