package redact

// Text in attributes is often JSON, sometimes JSON within JSON. Nothing that is
// looked for needs escaping, so that it is found where it stands; only a letter or
// number of an escape right before it must not be taken for a part of it.

// before gives the byte before i as far as it is text: 0 at the start of the text
// and behind an escape, such as \n, \" or \u00e7.
func before(t []byte, i int) byte {
	if i == 0 {
		return 0
	}
	c := t[i-1]
	if i >= 2 && t[i-2] == '\\' && c != 'u' {
		return 0
	}
	if i >= 6 && t[i-6] == '\\' && t[i-5] == 'u' && isHex(c) && isHex(t[i-2]) && isHex(t[i-3]) && isHex(t[i-4]) {
		return 0
	}
	return c
}

// escaped tells whether the byte at i belongs to an escape.
func escaped(t []byte, i int) bool {
	if i >= 1 && t[i-1] == '\\' {
		return true
	}
	for k := i - 1; k >= 1 && k >= i-4; k-- {
		if !isHex(t[k]) {
			return t[k] == 'u' && t[k-1] == '\\'
		}
	}
	return false
}

// runeOf reads a character above ASCII at i that is written as UTF-8 of two or three
// bytes, or as JSON escapes it, and gives the place behind it; 0 for anything else.
func runeOf(t []byte, i int) (r rune, next int) {
	rest := t[i:]
	switch {
	case len(rest) >= 2 && rest[0]&0xe0 == 0xc0:
		return rune(rest[0]&0x1f)<<6 | rune(rest[1]&0x3f), i + 2
	case len(rest) >= 3 && rest[0]&0xf0 == 0xe0:
		return rune(rest[0]&0xf)<<12 | rune(rest[1]&0x3f)<<6 | rune(rest[2]&0x3f), i + 3
	case len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u':
		for _, c := range rest[2:6] {
			if !isHex(c) {
				return 0, i
			}
			d := rune(c - '0')
			if !isDigit(c) {
				d = rune(c|0x20-'a') + 10
			}
			r = r<<4 | d
		}
		return r, i + 6
	}
	return 0, i
}
