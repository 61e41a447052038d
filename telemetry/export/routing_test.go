package export

import (
	"slices"
	"testing"
	"time"

	"treq/telemetry/journal"
)

func TestRouting(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		body := func(specs ...spanSpec) []byte { return encode(t, specs) }
		// By header, which goes before the attribute.
		stand.append(journal.Entry{Items: 1, Project: "header", Tenant: "workspace", Body: body(spanSpec{id: 1, trace: 1, project: "attribute"})})
		// By attribute: all, then one span of each trace, then two projects and none.
		stand.append(journal.Entry{Items: 1, Body: body(spanSpec{id: 2, trace: 2, project: "attribute"})})
		stand.append(journal.Entry{Items: 6, Body: body(
			spanSpec{id: 3, trace: 3},
			spanSpec{id: 4, trace: 3, project: "attribute"},
			spanSpec{id: 5, trace: 4, project: "other"},
			spanSpec{id: 6, trace: 4},
			spanSpec{id: 7, trace: 5},
			spanSpec{id: 8, trace: 5},
		)})
		stand.append(journal.Entry{Items: 1, Body: body(spanSpec{id: 9, trace: 9})})
		sink := stand.sink(b, Config{
			Profile: "langsmith", Endpoint: "http://eu.api.smith.test/", Project: "configured", Tenant: "own", APIKey: secret("lsv2_key"),
		})
		settleFor(time.Second)
		checkAccount(t, sink, account{Admitted: 9, Sent: 9})
		b.checkTaken(9)
		got := map[route][]uint64{}
		for _, p := range b.got() {
			to := route{project: p.header.Get("Langsmith-Project"), tenant: p.header.Get("X-Tenant-Id")}
			for _, span := range p.spans {
				got[to] = append(got[to], span.id)
			}
			if p.path != "/otel/v1/traces" || p.header.Get("X-Api-Key") != "lsv2_key" {
				t.Errorf("posted to %s with key %q", p.path, p.header.Get("X-Api-Key"))
			}
		}
		want := map[route][]uint64{
			{project: "header", tenant: "workspace"}: {1},
			{project: "attribute", tenant: "own"}:    {2, 3, 4},
			{project: "other", tenant: "own"}:        {5, 6},
			{project: "configured", tenant: "own"}:   {7, 8, 9},
		}
		for to, spans := range want {
			if !slices.Equal(got[to], spans) {
				t.Errorf("%v got spans %v, want %v", to, got[to], spans)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d routes, want %d", len(got), len(want))
		}
	})
}

// Plain OTLP has no header for a project: nothing is split, nothing is scanned.
func TestPlainOTLPIsNotSplit(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.append(journal.Entry{Items: 2, Project: "a", Body: encode(t, []spanSpec{{id: 1, project: "x"}, {id: 2, project: "y"}})})
		stand.append(journal.Entry{Items: 1, Project: "b", Tenant: "c", Body: encode(t, ids(3, 1))})
		stand.sink(b, Config{})
		settleFor(time.Second)
		b.checkTaken(3)
		if n := len(b.got()); n != 1 {
			t.Errorf("%d posts, want 1", n)
		}
	})
}

func TestHeaders(t *testing.T) {
	sinkTest(t, func(t *testing.T, stand *stand, b *backend) {
		stand.spans(ids(1, 1))
		stand.sink(b, Config{Endpoint: "http://user:word@backend.test/in?x=1", Headers: map[string]secretValue{"x-team": secret("blue")}})
		settleFor(time.Second)
		header := b.got()[0].header
		for name, want := range map[string]string{
			"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "X-Team": "blue",
			"User-Agent": "OTel-OTLP-Exporter-Go/1.2.3 treq-telemetry/1.2.3", "Treq-Hop": "instance-1",
			"Authorization": "Basic dXNlcjp3b3Jk", "Langsmith-Project": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}
