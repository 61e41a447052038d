package redact

import "bytes"

// signs finds the at signs of one text from its beginning on, bare or as URLs write
// them. It reads every byte once for each of the two, however many there are of the
// other.
type signs struct {
	text          []byte
	bare, encoded int // the next of each that is known; behind the text if there is none
}

// signsOf finds those of t from a place on.
func signsOf(t []byte, from int) signs {
	s := signs{text: t, bare: from - 1, encoded: from - 1}
	s.next(from)
	return s
}

var encodedSign = []byte("%40")

// next gives the first place from i on of an at sign, the text's length if there is
// none. i never decreases.
func (s *signs) next(i int) int {
	if s.bare < i {
		s.bare = len(s.text)
		if n := bytes.IndexByte(s.text[min(i, s.bare):], '@'); n >= 0 {
			s.bare = i + n
		}
	}
	if s.encoded < i {
		s.encoded = len(s.text)
		if n := bytes.Index(s.text[min(i, s.encoded):], encodedSign); n >= 0 {
			s.encoded = i + n
		}
	}
	return min(s.bare, s.encoded)
}

// urls finds the URLs of one text from its beginning on.
type urls struct {
	text        []byte
	last, ahead int // where the last and the next stand; behind the text if there is none
}

var slashes = []byte("://")

// urlsOf finds those of t from a place on.
func urlsOf(t []byte, from int) urls {
	u := urls{text: t, last: len(t)}
	u.find(from)
	return u
}

func (u *urls) find(from int) {
	u.ahead = len(u.text)
	if n := bytes.Index(u.text[from:], slashes); n >= 0 {
		u.ahead = from + n
	}
}

// near tells whether a URL starts close enough before i for a password to end there.
// i never decreases.
func (u *urls) near(i int) bool {
	for u.ahead < i {
		u.last = u.ahead
		u.find(u.last + len(slashes))
	}
	return u.last < i && i-u.last <= mostURL
}
