package instrument

import (
	"testing"

	"pgregory.net/rapid"
)

// TestSeriesTableAgreesWithAMap: every key put in is found with its series, and no other.
func TestSeriesTableAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table seriesTable
		known := map[seriesKey]*series{}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			var key seriesKey
			for i := range 3 {
				key[i*3] = uint16(rapid.IntRange(0, 9).Draw(t, "id"))
			}
			if got := table.get(key); got != known[key] {
				t.Fatalf("%v: found %p, want %p", key, got, known[key])
			}
			if known[key] == nil {
				one := &series{}
				table.put(key, one)
				known[key] = one
			}
		}
		for key, one := range known {
			if table.get(key) != one {
				t.Fatalf("%v is lost", key)
			}
		}
	})
}

// TestValuesAskedForOfLate: the short cut to the latest values gives what the long
// way gives, also for values that were cleaned, folded or are one of few bytes.
func TestValuesAskedForOfLate(t *testing.T) {
	v := newValues("a", 3)
	asked := []string{"x", " x ", "", "y", "z", "folded", Other, "y", "folded too", "x", ""}
	first := map[string]uint16{}
	for range 3 {
		for _, raw := range asked {
			id, folded := v.id(raw)
			if was, ok := first[raw]; ok && was != id {
				t.Errorf("%q is %d, was %d", raw, id, was)
			}
			first[raw] = id
			if want := raw == "folded" || raw == "folded too"; folded != want {
				t.Errorf("%q: folded is %v", raw, folded)
			}
		}
	}
	if first[" x "] != first["x"] || first[""] != absent || first[Other] != otherID || first["folded"] != otherID {
		t.Errorf("ids are %v", first)
	}
}
