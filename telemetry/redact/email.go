package redact

const (
	mostLocal  = 64
	mostDomain = 253
	// mostURL is how far before the at sign of a password its URL's slashes may stand.
	mostURL = 256
)

// email finds the address around the at sign at i of t, between from and end; the
// sign is one byte, or the three by which URLs write it. false if there is none.
func email(t []byte, i, from, end int) (match, bool) {
	start := i
	for start > from && i-start < mostLocal {
		c := t[start-1]
		if c&0xc0 == 0x80 && start-2 >= from && t[start-2] == 0xc3 {
			start -= 2 // é in an address
			continue
		}
		if !isLocal(c) || c == '0' && start-3 >= from && t[start-2] == '4' && t[start-3] == '%' {
			break
		}
		start--
	}
	start = unescaped(t, start, i)
	for start < i && (t[start] == '.' || t[start] == '-') {
		start++
	}
	if start == i || t[i-1] == '.' {
		return match{}, false
	}
	at := i + 1
	if t[i] == '%' {
		at = i + 3
	}
	to, ok := domain(t, at, end)
	return match{start, to, Email}, ok
}

func isLocal(c byte) bool {
	switch {
	case isLetter(c), isDigit(c):
		return true
	}
	switch c {
	case '.', '_', '%', '+', '-':
		return true
	}
	return false
}

// unescaped moves the start of a word behind the escape whose letters it began with.
func unescaped(t []byte, start, end int) int {
	if start == 0 || t[start-1] != '\\' || start == end {
		return start
	}
	if t[start] == 'u' {
		return min(start+5, end)
	}
	return start + 1
}

// domain reads a domain name of two labels at least, the last of letters, and gives
// the place behind it.
func domain(t []byte, from, end int) (to int, ok bool) {
	end = min(end, from+mostDomain)
	for i := from; ; i++ {
		start := i
		letters := true
		for i < end && (isLetter(t[i]) || isDigit(t[i]) || t[i] == '-') {
			letters = letters && isLetter(t[i])
			i++
		}
		if i == start {
			return to, ok
		}
		if start > from && letters && i-start >= 2 && i-start <= 24 {
			to, ok = i, true
		}
		if i == end || t[i] != '.' {
			return to, ok
		}
	}
}

// password finds the password of a URL's user around the at sign at i: what stands
// between the colon behind the user's name and the sign.
func password(t []byte, i, from int) (match, bool) {
	colon := -1
	for k := i - 1; k >= from && i-k <= mostURL; k-- {
		switch c := t[k]; {
		case c == ':' && k+2 < len(t) && t[k+1] == '/' && t[k+2] == '/':
			return match{colon + 1, i, Secret}, colon > k && colon+1 < i
		case c == ':':
			colon = k
		case c <= ' ', c == '"', c == '@', c == '<', c == '>', c == '\'', c == '/' && (k < 2 || t[k-1] != '/' && t[k-1] != ':'), c == '[', c == ']':
			return match{}, false
		}
	}
	return match{}, false
}
