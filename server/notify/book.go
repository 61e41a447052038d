package notify

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"treq/server/alerting"
)

// key names one firing of one alert.
type key struct {
	fingerprint string
	starts      int64 // nanoseconds of the Unix epoch
}

func keyOf(a *alerting.Alert) key { return key{a.Fingerprint, a.StartsAt.UnixNano()} }

// episode is one firing of one alert, from its beginning until everybody knows
// its end.
type episode struct {
	alert   alerting.Alert
	noticed time.Time // when it came
	ended   time.Time // when its end came; zero while it fires
	settled time.Time // since when nobody is owed anything
	told    map[string]toldEntry
}

// toldEntry is what one receiver knows of an episode. The zero value is nothing.
type toldEntry struct {
	State alerting.State `json:"state"`
	At    time.Time      `json:"at"`
	Times int            `json:"times"`
	// Muted tells that a silence held it back until it was over.
	Muted bool `json:"muted,omitempty"`
}

// owes tells whether a receiver that knows t has not heard the last of it.
func (e *episode) owes(t toldEntry) bool { return t.State != e.alert.State }

// since is when what is owed came.
func (e *episode) since() time.Time {
	if e.alert.State == alerting.Resolved {
		return e.ended
	}
	return e.noticed
}

// book is the state that the log keeps: a pure function of its records.
type book struct {
	episodes map[key]*episode
	// live are the firings by fingerprint.
	live map[string]key
}

func newBook() *book { return &book{episodes: map[key]*episode{}, live: map[string]key{}} }

// apply takes a record in.
func (b *book) apply(r record) {
	switch {
	case r.Episode != nil:
		e := &episode{
			alert: r.Episode.Alert, noticed: r.Episode.Noticed, ended: r.Episode.Ended,
			settled: r.Episode.Settled, told: maps.Clone(r.Episode.Told),
		}
		if e.told == nil {
			e.told = map[string]toldEntry{}
		}
		b.put(e)
	case r.Alert != nil:
		b.alert(*r.Alert, r.At)
	case len(r.Told) > 0:
		for _, t := range r.Told {
			if e, ok := b.episodes[key{t.Fingerprint, t.StartsAt.UnixNano()}]; ok {
				e.told[r.Receiver] = toldEntry{t.State, r.At, t.Times, t.Muted}
			}
		}
	}
}

func (b *book) put(e *episode) {
	k := keyOf(&e.alert)
	b.episodes[k] = e
	if e.alert.State == alerting.Firing {
		b.live[e.alert.Fingerprint] = k
	} else if b.live[e.alert.Fingerprint] == k {
		delete(b.live, e.alert.Fingerprint)
	}
}

// alert takes a firing or an end in. A firing that comes while an older one of the
// same alert still stands ends that one: the evaluation must have lost its end.
func (b *book) alert(a alerting.Alert, at time.Time) {
	if before, ok := b.live[a.Fingerprint]; ok && a.State == alerting.Firing && before != keyOf(&a) {
		old := b.episodes[before]
		old.alert.State, old.alert.EndsAt, old.ended = alerting.Resolved, a.StartsAt, at
		b.put(old)
	}
	e, known := b.episodes[keyOf(&a)]
	if !known {
		e = &episode{noticed: at, told: map[string]toldEntry{}}
	}
	if a.State == alerting.Resolved && e.alert.State != alerting.Resolved {
		e.ended = at
	}
	if a.State == alerting.Firing {
		e.ended, e.settled = time.Time{}, time.Time{}
	}
	e.alert = a
	b.put(e)
}

// changes tells whether an alert says anything that the book does not hold.
func (b *book) changes(a *alerting.Alert) bool {
	e, known := b.episodes[keyOf(a)]
	return !known || e.alert.State != a.State
}

// firing gives the alerts that fire, in order of their beginning.
func (b *book) firing() []alerting.Alert {
	out := []alerting.Alert{}
	for _, k := range b.live {
		out = append(out, b.episodes[k].alert)
	}
	slices.SortFunc(out, func(x, y alerting.Alert) int {
		return cmp.Or(x.StartsAt.Compare(y.StartsAt), strings.Compare(x.Fingerprint, y.Fingerprint))
	})
	return out
}

// records gives the book as a fresh log.
func (b *book) records() []record {
	var out []record
	for _, e := range b.sorted() {
		out = append(out, record{At: e.noticed, Episode: &episodeState{
			Alert: e.alert, Noticed: e.noticed, Ended: e.ended, Settled: e.settled, Told: e.told,
		}})
	}
	return out
}

// sorted gives the episodes in order of their beginning.
func (b *book) sorted() []*episode {
	return slices.SortedFunc(maps.Values(b.episodes), func(x, y *episode) int {
		return cmp.Or(x.alert.StartsAt.Compare(y.alert.StartsAt), strings.Compare(x.alert.Fingerprint, y.alert.Fingerprint))
	})
}

// The bounds of the book. An end that could not be delivered for so long interests
// nobody any more; what is settled is remembered so that the evaluation may tell
// it again after a crash.
const (
	maxEpisodes   = 5000
	giveUpAfter   = 7 * 24 * time.Hour
	rememberAfter = 24 * time.Hour
)

// expire takes out what is over. It gives the ends that were never delivered.
func (b *book) expire(now time.Time) (lost []*episode) {
	for k, e := range b.episodes {
		switch {
		case !e.settled.IsZero() && now.Sub(e.settled) >= rememberAfter:
			delete(b.episodes, k)
		case e.settled.IsZero() && e.alert.State == alerting.Resolved && now.Sub(e.ended) >= giveUpAfter:
			lost = append(lost, e)
			delete(b.episodes, k)
		}
	}
	return lost
}

// makeRoom takes out what matters least until n more fit: what is settled, the
// oldest first, then ends that were not delivered. Firings stay. It gives what
// was lost, and whether there is room.
func (b *book) makeRoom(n int) (lost []*episode, ok bool) {
	over := len(b.episodes) + n - maxEpisodes
	if over <= 0 {
		return nil, true
	}
	for _, settled := range []bool{true, false} {
		for _, e := range b.sorted() {
			if over <= 0 {
				return lost, true
			}
			if e.alert.State != alerting.Resolved || e.settled.IsZero() == settled {
				continue
			}
			delete(b.episodes, keyOf(&e.alert))
			over--
			if !settled {
				lost = append(lost, e)
			}
		}
	}
	return lost, over <= 0
}
