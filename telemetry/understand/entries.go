package understand

import (
	"cmp"
	"slices"
)

// EntryCount says how often spans of one name were considered as chats.
type EntryCount struct {
	Service string `json:"service"`
	Name    string `json:"name"`
	// Counts tells whether these are chats; the others are tops of fragments with
	// model calls or searches that no rule made a chat.
	Counts bool  `json:"counts"`
	Count  int64 `json:"count"`
}

// entries counts entries by name.
type entries struct {
	counts map[EntryCount]*int64 // keys have a Count of 0
	// latest has names that were noted of late: most are those of the one before.
	latest [4]latestEntry
	turn   int
}

type latestEntry struct {
	key   EntryCount
	count *int64
}

// maxEntries bounds the names that are told apart; more count under otherEntry.
const (
	maxEntries = 1000
	otherEntry = "other"
)

func (e *entries) note(service, name string, counts bool) {
	for i := range e.latest {
		if l := &e.latest[i]; l.key.Name == name && l.key.Counts == counts && l.key.Service == service && l.count != nil {
			*l.count++
			return
		}
	}
	asked := EntryCount{Service: service, Name: name, Counts: counts}
	key := asked
	if _, ok := e.counts[key]; !ok && len(e.counts) >= maxEntries {
		key.Service, key.Name = otherEntry, otherEntry
	}
	count := e.count(key)
	*count++
	e.latest[e.turn] = latestEntry{asked, count}
	e.turn = (e.turn + 1) % len(e.latest)
}

// count gives the count of a key, a new one if there is none.
func (e *entries) count(key EntryCount) *int64 {
	count, ok := e.counts[key]
	if !ok {
		if e.counts == nil {
			e.counts = make(map[EntryCount]*int64)
		}
		count = new(int64)
		e.counts[key] = count
	}
	return count
}

// list gives the entries, by service, name, and those that count first.
func (e *entries) list() []EntryCount {
	list := make([]EntryCount, 0, len(e.counts))
	for key, n := range e.counts {
		key.Count = *n
		list = append(list, key)
	}
	slices.SortFunc(list, func(a, b EntryCount) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name), boolOrder(a.Counts, b.Counts))
	})
	return list
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}
