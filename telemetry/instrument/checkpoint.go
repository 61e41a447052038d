package instrument

import (
	"encoding/json"
	"fmt"
	"slices"
)

// stateVersion is the version of the admitted state's format.
const stateVersion = 1

// state is what MarshalBinary writes: the values and series in the order they
// were admitted, so that a replay folds exactly what the first run folded.
type state struct {
	Version int                    `json:"version"`
	Values  map[string][]string    `json:"values"`
	Series  map[string]stateSeries `json:"series"`
}

// stateSeries are the series of one instrument, each as the ids of its values.
type stateSeries struct {
	Attributes []string   `json:"attributes"`
	Keys       [][]uint16 `json:"keys"`
}

// MarshalBinary gives the admitted values and series, for the checkpoint. The
// bytes belong to the instruments and are good until the next event.
func (in *Instruments) MarshalBinary() ([]byte, error) {
	size := in.admitted()
	if in.saved != nil && in.savedSize == size {
		return in.saved, nil
	}
	s := state{Version: stateVersion, Values: map[string][]string{}, Series: map[string]stateSeries{}}
	for _, v := range in.bounded {
		s.Values[v.attr] = v.names[firstID:]
	}
	for _, set := range in.sets {
		keys := make([][]uint16, len(set.order))
		for i, key := range set.order {
			keys[i] = slices.Clone(key[:len(set.attrs)])
		}
		s.Series[set.def.Name] = stateSeries{set.def.Attributes, keys}
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("instrument: state: %w", err)
	}
	in.saved, in.savedSize = data, size
	return data, nil
}

// admitted counts what only ever grows.
func (in *Instruments) admitted() int {
	n := 0
	for _, v := range in.bounded {
		n += len(v.names)
	}
	for _, set := range in.sets {
		n += len(set.order)
	}
	return n
}

// UnmarshalBinary takes over what another process had admitted. It must come
// before the first event. Series of an instrument whose attributes have changed
// since, and values beyond a limit that was lowered, are admitted anew as they
// come. On an error nothing has changed.
func (in *Instruments) UnmarshalBinary(data []byte) error {
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("instrument: state: %w", err)
	}
	if s.Version != stateVersion {
		return fmt.Errorf("instrument: state: version %d, want %d", s.Version, stateVersion)
	}
	for attr, names := range s.Values {
		seen := map[string]bool{"": true, Other: true}
		for _, name := range names {
			if seen[name] || clean(name) != name {
				return fmt.Errorf("instrument: state: %s: bad value %q", attr, name)
			}
			seen[name] = true
		}
	}
	ids := map[string][]uint16{}
	for _, v := range in.bounded {
		ids[v.attr] = v.restore(s.Values[v.attr])
	}
	for _, set := range in.sets {
		old, ok := s.Series[set.def.Name]
		if !ok || !slices.Equal(old.Attributes, set.def.Attributes) {
			continue
		}
		for _, stored := range old.Keys {
			if key, ok := set.restored(stored, ids); ok && set.known.get(key) == nil {
				set.make(key)
			}
		}
	}
	return nil
}

// restore admits the values of a checkpoint and gives the id of each of its ids.
func (v *values) restore(names []string) []uint16 {
	ids := []uint16{absent, otherID}
	for _, name := range names {
		id, _ := v.id(name)
		ids = append(ids, id)
	}
	return ids
}

// restored translates a stored key; ids without a translation are those of enumerations.
func (s *seriesSet) restored(stored []uint16, ids map[string][]uint16) (key seriesKey, ok bool) {
	if len(stored) != len(s.attrs) {
		return key, false
	}
	for i, id := range stored {
		if known, bounded := ids[s.attrs[i].attr]; bounded {
			if int(id) >= len(known) {
				return key, false
			}
			id = known[id]
		} else if int(id) >= len(s.attrs[i].names) {
			return key, false
		}
		key[i] = id
	}
	return key, true
}
