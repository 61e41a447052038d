package understand

import (
	"slices"
	"strings"

	"treq/telemetry"
)

// unmapped counts attributes that nobody reads, by name, until they are told.
type unmapped struct {
	names []string
	n     []int64
}

// mostUnmapped bounds the names told apart in one request; more count as other.
const mostUnmapped = 64

// otherName stands for names beyond a bound.
const otherName = "other"

// note counts an attribute that no key is known of, by the name that semconv gives it.
func (u *unmapped) note(name string, texts *interner) {
	for i, known := range u.names {
		if known == name {
			u.n[i]++
			return
		}
	}
	shown := otherName
	if len(u.names) < mostUnmapped {
		shown = texts.get([]byte(name))
	} else if i := slices.Index(u.names, otherName); i >= 0 {
		u.n[i]++
		return
	}
	u.names, u.n = append(u.names, shown), append(u.n, 1)
}

// tell tells a recorder what was counted, ordered by name, and forgets it.
func (u *unmapped) tell(rec telemetry.Recorder) {
	if len(u.names) == 0 {
		return
	}
	order := make([]int, len(u.names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(u.names[a], u.names[b]) })
	for _, i := range order {
		rec.Unmapped(u.names[i], u.n[i])
	}
	clear(u.names)
	u.names, u.n = u.names[:0], u.n[:0]
}
