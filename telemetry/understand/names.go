package understand

import "treq/telemetry/semconv"

// names remembers what the reader makes of an attribute's name, since services
// repeat a few dozen of them. It is bounded: two names that meet in the table
// push each other out.
type names struct {
	table []knownName // made at the first name
	last  *knownName
	buf   []byte
}

// knownName is what is made of a name.
type knownName struct {
	name  string
	key   semconv.Key
	place place
	// unmapped is the name that the attribute is counted under as one that a
	// dialect has and nobody here knows, "" if it is not counted.
	unmapped string
	// next is what followed last time: programs set attributes in one order.
	next *knownName
}

const namesSize = 1024

// of gives what is made of a name. It is good until the next call.
func (n *names) of(name []byte) *knownName {
	if n.table == nil {
		n.table = make([]knownName, namesSize+1)
		n.last = &n.table[0]
	}
	if k := n.last.next; k != nil && k.name == string(name) && len(name) > 0 {
		n.last = k
		return k
	}
	k := &n.table[scatter(name)%namesSize]
	n.last.next, n.last = k, k
	if k.name == string(name) && len(name) > 0 {
		return k
	}
	if len(name) > maxText {
		// The last entry is for names that are too long to be remembered.
		k = &n.table[namesSize]
		*k = knownName{}
	} else {
		*k = knownName{name: string(name)}
	}
	k.key = semconv.Lookup(name)
	k.place = places[k.key]
	if k.key == semconv.NoKey {
		var counts bool
		if n.buf, counts = semconv.Unmapped(n.buf[:0], name); counts {
			k.unmapped = string(n.buf)
		}
	}
	return k
}
