package otlp

// plainFields steps over the fields of a Span that are written as nearly every
// encoder writes them, from i on, and gives the place of the first that is not:
// message, which it saves from looking each of them up, reads that one, and says the
// same of all that are stepped over here.
func (c *checker) plainFields(b []byte, i int) int {
	for i+1 < len(b) {
		n := int(b[i+1])
		switch b[i] {
		case 9<<3 | wireLen:
			at := i + 2
			if n >= 0x80 {
				if at == len(b) || b[at] >= 0x80 {
					return i
				}
				n, at = n&0x7f|int(b[at])<<7, at+1
			}
			if n > len(b)-at || !plainPair(b[at:at+n]) {
				return i
			}
			i = at + n
		case 1<<3 | wireLen:
			if n != 16 || n > len(b)-i-2 {
				return i
			}
			c.span.traceID = !zero(b[i+2 : i+2+n])
			i += 2 + n
		case 2<<3 | wireLen:
			if n != 8 || n > len(b)-i-2 {
				return i
			}
			c.span.spanID = !zero(b[i+2 : i+2+n])
			i += 2 + n
		case 4<<3 | wireLen:
			if n != 8 || n > len(b)-i-2 {
				return i
			}
			i += 2 + n
		case 3<<3 | wireLen, 5<<3 | wireLen:
			if n >= 0x80 || n > len(b)-i-2 {
				return i
			}
			i += 2 + n
		case 6<<3 | wireVarint:
			if n >= 0x80 {
				return i
			}
			i += 2
		case 7<<3 | wireI64:
			at := 0
			if c.span.start, at = fixed64(b, i+1); at < 0 {
				return i
			}
			i = at
		case 8<<3 | wireI64:
			at := 0
			if c.span.end, at = fixed64(b, i+1); at < 0 {
				return i
			}
			i = at
		case 15<<3 | wireLen:
			// A code alone, or nothing.
			switch {
			case n == 0:
				i += 2
			case n == 2 && len(b)-i >= 4 && b[i+2] == 3<<3|wireVarint && b[i+3] < 0x80:
				i += 4
			default:
				return i
			}
		default:
			return i
		}
	}
	return i
}

// plainPair tells whether a KeyValue is well formed and of the kind that
// plainKeyValue reads, or nearly: what it leaves to the tables may be well formed too.
func plainPair(b []byte) bool {
	if len(b) < 2 || b[0] != 1<<3|wireLen {
		return false
	}
	n := int(b[1])
	if n >= 0x80 || len(b) < n+6 || b[n+2] != 2<<3|wireLen {
		return false
	}
	v := b[n+3:]
	size := int(v[0])
	v = v[1:]
	if size >= 0x80 {
		if v[0] >= 0x80 {
			return false
		}
		size = size&0x7f | int(v[0])<<7
		v = v[1:]
	}
	if size != len(v) || size < 2 {
		return false
	}
	switch v[0] {
	case 1<<3 | wireLen:
		if v[1] < 0x80 {
			return int(v[1]) == len(v)-2
		}
		return len(v) > 2 && v[2] < 0x80 && int(v[1])&0x7f|int(v[2])<<7 == len(v)-3
	case 2<<3 | wireVarint, 3<<3 | wireVarint:
		if len(v) == 2 {
			return v[1] < 0x80
		}
		_, end := varint(v, 1)
		return end == len(v)
	case 4<<3 | wireI64:
		return len(v) == 9
	}
	return false
}
