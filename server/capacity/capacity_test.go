package capacity

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

func plan(t *testing.T, l Load) Plan {
	t.Helper()
	p, err := For(l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlans(t *testing.T) {
	for spans, want := range map[float64]struct {
		replicas, gateways int
		limit              string
	}{
		1: {1, 0, byAlone}, 9_999: {1, 0, byAlone}, 10_000: {2, 2, byLoss}, 100_000: {2, 8, byDisk},
		1_000_000: {11, 78, byDisk}, 10_000_000: {102, 776, byDisk},
	} {
		p := plan(t, Load{SpansPerSecond: spans})
		if p.Replicas != want.replicas || p.Gateways != want.gateways || p.Limit != want.limit {
			t.Errorf("%v spans/s: %d replicas for %q, %d gateways; want %+v", spans, p.Replicas, p.Limit, p.Gateways, want)
		}
	}
	// Small spans are a matter of processors.
	if p := plan(t, Load{SpansPerSecond: 1e6, BytesPerSpan: 200, Cores: 2}); p.Limit != byCPU || p.Replicas != 9 {
		t.Errorf("small spans: %d for %s", p.Replicas, p.Limit)
	}
	if p := plan(t, Load{SpansPerSecond: 1000, BytesPerSpan: 1000, Keep: time.Hour}); math.Abs(p.DiskBytes-3600*1000*1000*writtenPerByte) > 1 || p.BitsPerSecond != 8e6 {
		t.Errorf("an hour of 1 MB/s: %+v", p)
	}
}

// TestMoreNeedsMore holds over all orders of magnitude.
func TestMoreNeedsMore(t *testing.T) {
	before, told := 0, map[string]bool{}
	for spans := 1.0; spans <= mostSpans; spans *= 10 {
		p := plan(t, Load{SpansPerSecond: spans})
		if p.Replicas < before {
			t.Errorf("%v spans/s need %d replicas, a tenth needs %d", spans, p.Replicas, before)
		}
		before, told[p.Breaks] = p.Replicas, true
	}
	if len(told) != 5 {
		t.Errorf("%d things break over the orders of magnitude, want 5", len(told))
	}
}

func TestWhatCannotBePlanned(t *testing.T) {
	for _, l := range []Load{{}, {SpansPerSecond: 2e7}, {SpansPerSecond: math.NaN()}, {SpansPerSecond: 1, Cores: -1}, {SpansPerSecond: 1, BytesPerSpan: math.Inf(1)}, {SpansPerSecond: 1, Keep: -1}} {
		if _, err := For(l); telemetry.KindOf(err) != telemetry.Invalid {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

// TestFiguresAreTheMeasured finds them in the page that tells how they were measured.
func TestFiguresAreTheMeasured(t *testing.T) {
	page, err := os.ReadFile("../../docs/capacity.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, figure := range []string{"113k", "10.3k", "8.3", "1.09", "209 MB", Measured} {
		if !strings.Contains(string(page), figure) {
			t.Errorf("docs/capacity.md does not have %s", figure)
		}
	}
}
