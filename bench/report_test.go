package main

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
)

// TestCountSpans counts what the payloads hold, and refuses what is cut short.
func TestCountSpans(t *testing.T) {
	for _, batch := range []int{4, 64, 512} {
		p, err := newPayload(batch, 1536, false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := countSpans(append(p.fill(nil, 1, 1), p.fill(nil, 1, 2)...))
		if err != nil || got != 2*int64(batch) {
			t.Errorf("batch %d: %d spans, %v; want %d", batch, got, err, 2*batch)
		}
		if _, err := countSpans(p.template[:len(p.template)-1]); err == nil {
			t.Error("a request without its last byte is counted")
		}
	}
}

// TestRootless holds traces without a root to what they leave out.
func TestRootless(t *testing.T) {
	p, err := newRootless(512)
	if err != nil {
		t.Fatal(err)
	}
	if p.spans != 510 || p.traces != 0 {
		t.Fatalf("%d spans, %d traces; want 510 spans of traces that never close", p.spans, p.traces)
	}
	for _, span := range decode(t, p.fill(nil, 1, 1), false) {
		if len(span.ParentSpanId) == 0 {
			t.Fatalf("%q is a root", span.Name)
		}
	}
}

// TestRatioIsPairByPair tells the median of the ratios from the ratio of the medians.
func TestRatioIsPairByPair(t *testing.T) {
	s := samples{
		{http512, oursMemory}:      {{perCPU: 100}, {perCPU: 500}, {perCPU: 300}},
		{http512, collectorMemory}: {{perCPU: 10}, {perCPU: 250}, {perCPU: 50}},
	}
	if got := s.ratio(http512, oursMemory, collectorMemory, perCPU); got != 6 {
		t.Errorf("the ratio is %g, want 6: the median of 10, 2 and 6", got)
	}
	if got := s.ratio(http64, oursMemory, collectorMemory, perCPU); got != 0 {
		t.Errorf("the ratio of nothing is %g", got)
	}
}

// TestFigures leaves out what was not measured and judges what was.
func TestFigures(t *testing.T) {
	f := found{
		samples: samples{
			{http512, oursMemory}:      {{perCPU: 500_000}},
			{http512, collectorMemory}: {{perCPU: 100_000, rss: 200e6}},
			{http512, oursFsync}:       {{perCPU: 300_000, rss: 150e6}},
		},
		replay: 1.5,
	}
	verdicts := map[string]bool{}
	for _, one := range f.figures() {
		verdicts[one.what] = one.holds
	}
	want := map[string]bool{
		"ack=memory ÷ Collector in memory, 512":                   true,
		"peak RSS at full load, fsync ÷ Collector in memory, 512": false,
		"replay of a GB of uncompressed records":                  true,
	}
	if len(verdicts) != len(want) {
		t.Errorf("figures %v, want %v", verdicts, want)
	}
	for what, holds := range want {
		if got, ok := verdicts[what]; !ok || got != holds {
			t.Errorf("%s: %v (listed: %v), want %v", what, got, ok, holds)
		}
	}
	var text strings.Builder
	f.write(&text, options{rounds: 1}, "bench")
	if !strings.Contains(text.String(), "| 5.0 | yes | 500k / 100k spans/CPU-s |") {
		t.Errorf("the table lacks the ratio:\n%s", &text)
	}
}

// TestFlags refuses loads that cannot be made.
func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-transport", "udp"},
		{"-transport", "http", "-batch", "63"},
		{"-transport", "http", "-content", "-1"},
		{"-transport", "http", "-servers", "nginx"},
	} {
		if _, err := parse(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
	f, err := parse([]string{"-transport", "http,grpc", "-content", "0", "-batch", "64", "-servers", "fsync,collector"})
	if err != nil || len(f.rows) != 2 || len(f.rows[1].kinds) != 2 {
		t.Errorf("%+v, %v; want two loads on two servers each", f.rows, err)
	}
}

// TestAsked reads what an asker printed until it was killed.
func TestAsked(t *testing.T) {
	var printed strings.Builder
	for i := range 200 {
		fmt.Fprintln(&printed, 1_000_000*(200-i))
	}
	printed.WriteString("9999999") // cut off
	if got, err := askedP99(printed.String()); err != nil || got != 199 {
		t.Errorf("p99 %g ms, %v; want 199", got, err)
	}
	if _, err := askedP99("1\nbench: refused\n"); err == nil {
		t.Error("a message is taken for a latency")
	}
}

// TestCountRuns counts what is posted, not its contents or what only changes.
func TestCountRuns(t *testing.T) {
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, name := range []string{"post.a", "post.a.inputs", "post.a.outputs", "post.b", "patch.c"} {
		if err := parts.WriteField(name, `{"text":"name=\"post.z\""}`); err != nil {
			t.Fatal(err)
		}
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := countRuns(parts.FormDataContentType(), body.Bytes()); err != nil || got != 2 {
		t.Errorf("%d runs, %v; want 2", got, err)
	}
	if _, err := countRuns(parts.FormDataContentType(), body.Bytes()[:body.Len()-8]); err == nil {
		t.Error("a request without its end is counted")
	}
}
