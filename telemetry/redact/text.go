package redact

import "slices"

// match is a piece of text, from and to its places, that is of a kind.
type match struct {
	from, to int
	kind     Kind
}

// scanner finds what is looked for in one text after the other. It belongs to one
// goroutine, and allocates nothing where it finds nothing.
type scanner struct {
	r     *Redactor
	found []match
	chain chain
}

// wants tells whether a kind is looked for.
func (s *scanner) wants(k Kind) bool { return s.r.modes[k] != Keep }

// scan gives what it finds in t, in order and without overlap; valid until the next call.
//
// Own patterns go first, then private keys, then addresses, since numbers may be part of one, then
// everything else in what is between.
func (s *scanner) scan(t []byte) []match {
	s.found = s.found[:0]
	for i := range s.r.patterns {
		s.pattern(t, i)
	}
	if s.wants(Secret) {
		s.gaps(t, (*scanner).privateKeys)
	}
	s.gaps(t, (*scanner).addresses)
	s.gaps(t, (*scanner).codes)
	return s.found
}

func (s *scanner) sort() {
	slices.SortFunc(s.found, func(a, b match) int { return a.from - b.from })
}

// gaps calls look for each part of t in which nothing was found yet.
func (s *scanner) gaps(t []byte, look func(s *scanner, t []byte, from, end int)) {
	from, n := 0, len(s.found)
	for i := range n {
		m := s.found[i]
		if from < m.from {
			look(s, t, from, m.from)
		}
		from = m.to
	}
	if from < len(t) {
		look(s, t, from, len(t))
	}
	if n > 0 && len(s.found) > n {
		s.sort()
	}
}

func (s *scanner) pattern(t []byte, i int) {
	p := &s.r.patterns[i]
	if p.mode == Keep || !p.may(t) {
		return
	}
	k, before := 0, len(s.found)
	for _, at := range p.re.FindAllIndex(t, -1) {
		m := match{at[0], at[1], known + Kind(i)}
		for k < before && s.found[k].to <= m.from {
			k++
		}
		if m.to > m.from && (k == before || m.to <= s.found[k].from) {
			s.found = append(s.found, m)
		}
	}
	s.sort()
}

// addresses finds e-mail addresses and passwords in URLs.
func (s *scanner) addresses(t []byte, from, end int) {
	at, in := signsOf(t[:end], from), urlsOf(t[:end], from)
	for i := at.next(from); i < end; i = at.next(i + 1) {
		var m match
		ok := in.near(i) && s.wants(Secret)
		if ok {
			m, ok = password(t, i, from)
		}
		if !ok {
			m, ok = email(t, i, from, end)
		}
		if ok && s.wants(m.kind) {
			s.found = append(s.found, m)
			from, i = m.to, max(i, m.to-1)
		}
	}
}

// lookBack is how far before a suspicious place what it belongs to may have started.
const lookBack = 32

// codes finds numbers and keys.
func (s *scanner) codes(t []byte, from, end int) {
	for i := from; i < end; {
		at := suspect(t[:end], i, end)
		if at >= end {
			return
		}
		start := at
		for start > i && at-start < 256 && t[start-1] > ' ' && t[start-1] < 0x80 {
			start--
		}
		next := at + 8
		for k := max(i, min(start-8, at-lookBack)); k < min(at+8, end); k++ {
			if m, ok := s.code(t, k, end); ok {
				s.found = append(s.found, m)
				k = m.to - 1
				next = max(next, m.to)
			}
		}
		i = next
	}
}

// What a byte may be.
const (
	startsNumber = 1 << iota
	startsSecret
	inNumber    // of a number with letters
	inSeparator // between groups of digits
)

var starts = func() (t [256]uint8) {
	for c := '0'; c <= '9'; c++ {
		t[c] = startsNumber | inNumber
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = startsNumber | inNumber
	}
	t['+'], t['('] = startsNumber, startsNumber
	for _, c := range "./-" {
		t[c] |= inNumber
	}
	for _, c := range " ./-()+\\" {
		t[c] |= inSeparator
	}
	for c := 0x80; c < 0x100; c++ {
		t[c] |= inSeparator
	}
	for c := range shapes {
		if len(shapes[c]) > 0 {
			t[c] |= startsSecret
		}
	}
	return t
}()

// code finds what starts at i; false if nothing does.
func (s *scanner) code(t []byte, i, end int) (m match, ok bool) {
	how := starts[t[i]]
	if how == 0 {
		return match{}, false
	}
	if how&startsSecret != 0 && s.wants(Secret) {
		m, ok = secret(t, i, end)
	}
	if !ok && how&startsNumber != 0 {
		if !isCapital(t[i]) {
			m, ok = s.number(t, i, end)
		}
		if !ok && t[i] != '+' && t[i] != '(' && s.wants(CNPJ) {
			var to int
			if to, ok = alphanumeric(t, i, end); ok {
				m = match{i, to, CNPJ}
			}
		}
	}
	return m, ok && !escaped(t, i)
}
