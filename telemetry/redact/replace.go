package redact

import "bytes"

// appendReplacement appends what stands in the place of a match in t. A number of
// JSON becomes a text of JSON, in quotes that are escaped as those before it are.
func (r *Redactor) appendReplacement(dst, t []byte, m match, person bool) []byte {
	slashes, quoted := bareNumber(t, m)
	if quoted {
		dst = append(appendSlashes(dst, slashes), '"')
	}
	dst = r.appendMask(dst, m.kind, t[m.from:m.to], person)
	if quoted {
		dst = append(appendSlashes(dst, slashes), '"')
	}
	return dst
}

func appendSlashes(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, '\\')
	}
	return dst
}

// bareNumber tells whether the match is all of a number of JSON within t, and how
// many backslashes stand before a quote there.
func bareNumber(t []byte, m match) (slashes int, ok bool) {
	if !isDigit(t[m.from]) || !isDigit(t[m.to-1]) {
		return 0, false
	}
	i, k := m.from-1, m.to
	for i >= 0 && t[i] == ' ' {
		i--
	}
	for k < len(t) && t[k] == ' ' {
		k++
	}
	if i < 0 || k == len(t) || t[i] != ':' && t[i] != '[' && t[i] != ',' || t[k] != ',' && t[k] != ']' && t[k] != '}' {
		return 0, false
	}
	if start := bytes.TrimLeft(t[:i+1], " \t\r\n"); len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return 0, false
	}
	quote := bytes.LastIndexByte(t[:i+1], '"')
	for quote > slashes && t[quote-1-slashes] == '\\' {
		slashes++
	}
	return slashes, true
}

// masked tells whether t is a mask of this name already.
func masked(t []byte, name string) bool {
	if len(t) < len(name)+2 || t[0] != '[' || t[len(t)-1] != ']' || string(t[1:1+len(name)]) != name {
		return false
	}
	rest := t[1+len(name) : len(t)-1]
	if len(rest) == 0 {
		return true
	}
	if rest[0] != ':' || len(rest) != 1+2*hashBytes {
		return false
	}
	for _, c := range rest[1:] {
		if c < 'a' || c > 'p' {
			return false
		}
	}
	return true
}

// mask tells whether t is what stands in the place of a kind.
func (r *Redactor) mask(t []byte) bool {
	if len(t) == 0 || t[0] != '[' {
		return false
	}
	for _, name := range r.names {
		if masked(t, name) {
			return true
		}
	}
	return false
}
