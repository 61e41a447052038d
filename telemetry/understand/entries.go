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
	counts map[EntryCount]int64 // keys have a Count of 0
}

// maxEntries bounds the names that are told apart; more count under otherEntry.
const (
	maxEntries = 1000
	otherEntry = "other"
)

func (e *entries) note(service, name string, counts bool) {
	if e.counts == nil {
		e.counts = make(map[EntryCount]int64)
	}
	key := EntryCount{Service: service, Name: name, Counts: counts}
	if _, ok := e.counts[key]; !ok && len(e.counts) >= maxEntries {
		key.Service, key.Name = otherEntry, otherEntry
	}
	e.counts[key]++
}

// list gives the entries, by service, name, and those that count first.
func (e *entries) list() []EntryCount {
	list := make([]EntryCount, 0, len(e.counts))
	for key, n := range e.counts {
		key.Count = n
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
