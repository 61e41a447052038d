package instrument

import (
	"testing"

	"treq/telemetry"
)

// TestSpansAreToldApart has dispositions counted by all that they say, also where
// the short cut to their series has room for one of them only, and those of services
// beyond the limit counted as folded each time.
func TestSpansAreToldApart(t *testing.T) {
	in, reader := newInstruments(t, Options{MaxValues: 4})
	want := map[[3]string]int64{}
	for n := range int64(3) {
		for _, d := range []telemetry.Disposition{telemetry.Recorded, telemetry.Folded} {
			for _, reason := range []string{"aa", "bb"} {
				for _, service := range []string{"s1", "s2", "s3", "s4", "s5", "s6", ""} {
					in.Span(d, reason, service, n)
					in.Span(d, reason, service, n)
					switch service {
					case "s5", "s6":
						service = Other
					case "":
						service = UnknownService
					}
					want[[3]string{d.String(), reason, service}] += 2 * n
				}
			}
		}
	}
	got := collect(t, reader)
	for _, o := range got[PipelineSpans] {
		key := [3]string{o.attrs[AttrDisposition], o.attrs[AttrReason], o.attrs[AttrService]}
		if o.count != want[key] {
			t.Errorf("%v has %d spans, want %d", key, o.count, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
	for _, o := range got[PipelineFolded] {
		// Two numbers above 0, twice, of two dispositions, two reasons and two services.
		if o.attrs[AttrAttribute] == AttrService && o.count != 32 {
			t.Errorf("%d measurements are counted as folded, want 32", o.count)
		}
	}
}
