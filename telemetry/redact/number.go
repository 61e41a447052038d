package redact

// separator is what stands between two groups of digits, as bits.
type separator uint8

const (
	space separator = 1 << iota
	dot
	dash
	slash
	paren
)

const (
	mostGroups = 8
	mostDigits = 24
)

// chain is a run of digits in groups: a number as people write it.
type chain struct {
	plus, open bool // '+' in front; '(' in front or within
	from       int
	n          int // digits
	digits     [mostDigits]byte
	groups     int
	width      [mostGroups]uint8
	end        [mostGroups]int       // behind each group
	after      [mostGroups]separator // what follows each group, before the next
	single     [mostGroups]bool      // that it is one character
}

// read reads the chain at i, which starts with a digit, '+' or '(', up to end.
// false if there is none.
func (c *chain) read(t []byte, i, end int) bool {
	*c = chain{from: i}
	if t[i] == '+' {
		c.plus = true
		i++
	} else if t[i] == '(' {
		c.open = true
		i++
	}
	for i < end && isDigit(t[i]) {
		start := i
		for i < end && isDigit(t[i]) {
			if c.n == mostDigits {
				c.n -= i - start // what is longer is no number that is looked for
				return c.groups > 0
			}
			c.digits[c.n] = t[i] - '0'
			c.n++
			i++
		}
		c.width[c.groups] = uint8(i - start)
		c.end[c.groups] = i
		if c.groups++; c.groups == mostGroups {
			break
		}
		kind, next, count := separation(t, i, end)
		if next == i || next >= end || !isDigit(t[next]) {
			break
		}
		c.after[c.groups-1], c.single[c.groups-1] = kind, count == 1
		i = next
	}
	return c.groups > 0
}

// separation reads what stands between two groups: one character, or one of the
// sequences that telephone numbers have.
func separation(t []byte, i, end int) (kind separator, next, count int) {
	sequence := 0
	for next = i; next < end && !isDigit(t[next]); count++ {
		k, to := oneSeparator(t, next)
		if k == 0 || to > end || count == 3 {
			return 0, i, 0
		}
		kind |= k
		sequence = sequence<<8 | int(k)
		next = to
	}
	switch sequence {
	case int(space), int(dot), int(dash), int(slash), int(paren),
		int(space)<<8 | int(dash), int(dash)<<8 | int(space), int(space)<<16 | int(dash)<<8 | int(space),
		int(paren)<<8 | int(space), int(paren)<<8 | int(dash), int(space)<<8 | int(paren):
		return kind, next, count
	}
	return 0, i, 0
}

// oneSeparator reads one character of a separation; 0 for any other.
func oneSeparator(t []byte, i int) (separator, int) {
	switch c := t[i]; {
	case c == ' ':
		return space, i + 1
	case c == '.':
		return dot, i + 1
	case c == '-':
		return dash, i + 1
	case c == '/':
		return slash, i + 1
	case c == '(' || c == ')':
		return paren, i + 1
	case c == '\\' && i+1 < len(t) && t[i+1] == '/':
		return slash, i + 2
	case c == '\\' || c >= 0x80:
		return wideSeparator(t, i)
	}
	return 0, i
}

// wideSeparator knows the spaces and dashes above ASCII that models and word
// processors put into numbers.
func wideSeparator(t []byte, i int) (separator, int) {
	r, next := runeOf(t, i)
	switch {
	case r == 0xa0 || r == 0x2007 || r == 0x2009 || r == 0x202f:
		return space, next
	case 0x2010 <= r && r <= 0x2015 || r == 0x2212:
		return dash, next
	}
	return 0, i
}

// number finds what is looked for in the chain at i of t, which starts there or
// nowhere; false if that is nothing.
func (s *scanner) number(t []byte, i, end int) (match, bool) {
	prev := before(t, i)
	if isDigit(prev) || prev == '.' && i >= 2 && isDigit(t[i-2]) && !s.endsAt(i-1) {
		return match{}, false
	}
	c := &s.chain
	if !c.read(t, i, end) {
		return match{}, false
	}
	worded := !c.plus && !c.open && (isLetter(prev) || prev == '_')
	for c.groups > 0 {
		last := c.groups - 1
		if kind, ok := c.kind(t, worded); ok && s.wants(kind) && !c.fraction(t, last) {
			return match{i, c.end[last], kind}, true
		}
		c.n -= int(c.width[last])
		c.groups--
	}
	return match{}, false
}

// endsAt tells whether what was found last ends at i.
func (s *scanner) endsAt(i int) bool {
	return len(s.found) > 0 && s.found[len(s.found)-1].to == i
}

// fraction tells whether the chain is one group before a decimal point.
func (c *chain) fraction(t []byte, last int) bool {
	end := c.end[last]
	return last == 0 && !c.plus && !c.open && end+1 < len(t) && t[end] == '.' && isDigit(t[end+1])
}

// kind tells what the groups that are left say, worded that a letter stands before them.
func (c *chain) kind(t []byte, worded bool) (Kind, bool) {
	if c.n < shortestAbroad {
		return 0, false
	}
	if !c.plus && !c.open {
		switch {
		case c.n == 11 && c.is(3, 3, 3, 2) && c.tight() && c.after[2] != dot, c.n == 11 && c.is(9, 2) && c.tight() && c.after[0] != dot, c.n == 11 && c.groups == 1:
			if validCPF(c.digits[:11]) {
				return CPF, true
			}
		case c.n == 14 && (c.groups == 1 || c.tight() && (c.is(2, 3, 3, 4, 2) || c.is(8, 4, 2) || c.is(12, 2))):
			if validCNPJ(c.digits[:14]) {
				return CNPJ, true
			}
		}
	}
	if last := c.end[c.groups-1]; worded || last < len(t) && (isLetter(t[last]) || t[last] == '_') {
		return 0, false
	}
	if !c.plus && !c.open && c.n >= 14 && c.n <= 19 && c.card() {
		return Card, true
	}
	if c.phone() {
		return Phone, true
	}
	return 0, false
}

// is tells whether the groups have these widths.
func (c *chain) is(widths ...uint8) bool {
	if len(widths) != c.groups {
		return false
	}
	for g, w := range widths {
		if c.width[g] != w {
			return false
		}
	}
	return true
}

// tight tells whether all groups are one character apart.
func (c *chain) tight() bool {
	for g := range c.groups - 1 {
		if !c.single[g] || c.after[g] == paren {
			return false
		}
	}
	return true
}

// card tells whether the digits are a payment card's: grouped as cards are, of a
// network's range, with the check digit of ISO/IEC 7812-1.
func (c *chain) card() bool {
	if c.groups > 1 && (!c.tight() || !c.is(4, 4, 4, 4) && !c.is(4, 6, 5) && !c.is(4, 6, 4) && !c.is(4, 4, 4, 4, 3)) {
		return false
	}
	d := c.digits[:c.n]
	two := int(d[0])*10 + int(d[1])
	switch {
	case d[0] == 4:
		if c.n != 16 && c.n != 19 {
			return false
		}
	case d[0] == 5, two >= 22 && two <= 27:
		if c.n != 16 {
			return false
		}
	case d[0] == 6:
		if c.n < 16 {
			return false
		}
	case two == 34, two == 37:
		if c.n != 15 {
			return false
		}
	case two == 30, two == 35, two == 36, two == 38, two == 39:
	default:
		return false
	}
	return luhn(d)
}

// phone tells whether the digits are a telephone number: Brazilian as people write
// it, or of any country with a plus in front.
func (c *chain) phone() bool {
	if c.has(slash) || c.open && c.groups == 1 {
		return false
	}
	if c.plus && c.n <= 15 && c.digits[0] != 0 {
		return true
	}
	at, g := 0, 0 // digits and groups that the country takes
	if c.width[0] == 2 && c.digits[0] == 5 && c.digits[1] == 5 && c.groups > 1 && c.n >= 12 {
		at, g = 2, 1
	} else if c.groups == 1 && (c.n == 12 || c.n == 13) && c.digits[0] == 5 && c.digits[1] == 5 {
		return subscriber(c.digits[2:c.n], false)
	}
	d := c.digits[at:c.n]
	if c.width[g] == 3 && d[0] == 0 { // (011)
		d = d[1:]
	} else if c.groups == 1 {
		return c.n == 11 && subscriber(d, false) && d[2] == 9
	}
	if c.n-at-len(d) != int(c.width[g])-2 || !c.local(g+1) {
		return false
	}
	return subscriber(d, c.open)
}

// local tells whether the groups from g on have widths of a subscriber's number.
func (c *chain) local(g int) bool {
	for k := g; k < c.groups-1; k++ {
		if c.after[k]&paren != 0 {
			return false
		}
	}
	rest := c.width[g:c.groups]
	switch len(rest) {
	case 1:
		return rest[0] == 8 || rest[0] == 9
	case 2:
		return (rest[0] == 4 || rest[0] == 5) && rest[1] == 4 || rest[0] == 1 && rest[1] == 8
	case 3:
		return rest[0] == 1 && rest[1] == 4 && rest[2] == 4
	}
	return false
}

func (c *chain) has(k separator) bool {
	for g := range c.groups - 1 {
		if c.after[g]&k != 0 {
			return true
		}
	}
	return false
}
