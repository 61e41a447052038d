package redact

import "bytes"

// shape is what a key looks like: a beginning that nothing else has, and how many
// bytes of key follow at least.
type shape struct {
	prefix string
	least  int
	more   string // bytes of the key besides letters, digits, '-' and '_'
}

// shapes are by the first byte of the prefix.
var shapes = func() (t [256][]shape) {
	for _, s := range []shape{
		{"sk-", 20, ""},
		{"pk-lf-", 20, ""},
		{"sk_live_", 20, ""},
		{"sk_test_", 20, ""},
		{"rk_live_", 20, ""},
		{"whsec_", 20, "+/"},
		{"lsv2_", 20, ""},
		{"ls__", 20, ""},
		{"gsk_", 20, ""},
		{"hf_", 20, ""},
		{"r8_", 20, ""},
		{"xai-", 20, ""},
		{"pplx-", 20, ""},
		{"nvapi-", 20, ""},
		{"AKIA", 16, ""},
		{"ASIA", 16, ""},
		{"AIza", 30, ""},
		{"ya29.", 20, ""},
		{"GOCSPX-", 20, ""},
		{"ghp_", 20, ""},
		{"gho_", 20, ""},
		{"ghu_", 20, ""},
		{"ghs_", 20, ""},
		{"ghr_", 20, ""},
		{"github_pat_", 20, ""},
		{"glpat-", 20, "."},
		{"xoxb-", 20, ""},
		{"xoxp-", 20, ""},
		{"xoxa-", 20, ""},
		{"xoxr-", 20, ""},
		{"xoxs-", 20, ""},
		{"xapp-", 20, ""},
		{"npm_", 20, ""},
		{"pypi-", 20, ""},
		{"SG.", 30, "."},
		{"dop_v1_", 30, ""},
		{"shpat_", 20, ""},
		{"sbp_", 20, ""},
		{"eyJ", 20, "."},
		{"Bearer ", 20, ".~+/="},
		{"bearer ", 20, ".~+/="},
		{"Basic ", 20, "+/="},
		{"basic ", 20, "+/="},
	} {
		t[s.prefix[0]] = append(t[s.prefix[0]], s)
	}
	return t
}()

// pairs has a bit for the first two bytes of each prefix, which few other words have.
var pairs = func() (t [1 << 10]uint64) {
	for _, list := range shapes {
		for _, s := range list {
			pair := uint(s.prefix[0])<<8 | uint(s.prefix[1])
			t[pair>>6] |= 1 << (pair & 63)
		}
	}
	return t
}()

// begins tells whether a text begins as some key does.
func begins(t []byte) bool {
	for k := range shapes[t[0]] {
		if s := &shapes[t[0]][k]; len(t) >= len(s.prefix) && string(t[:len(s.prefix)]) == s.prefix {
			return true
		}
	}
	return false
}

var (
	pemBegin = []byte("-----BEGIN ")
	pemKey   = []byte("PRIVATE KEY-----")
	pemEnd   = []byte("-----END ")
	dashes   = []byte("-----")
)

// secret finds the key or token that starts at i; false if none does.
func secret(t []byte, i, end int) (match, bool) {
	for k := range shapes[t[i]] {
		s := &shapes[t[i]][k]
		if end-i < len(s.prefix)+s.least || string(t[i:i+len(s.prefix)]) != s.prefix {
			continue
		}
		if p := before(t, i); isLetter(p) || isDigit(p) || p == '_' || p == '-' {
			return match{}, false
		}
		from := i + len(s.prefix)
		to := from
		for to < end && s.holds(t[to]) {
			to++
		}
		if to-from < s.least {
			continue
		}
		start, body := i, i
		if s.prefix[len(s.prefix)-1] == ' ' {
			start, body = from, from // the scheme's name is no secret
		}
		if s.prefix == "eyJ" && bytes.IndexByte(t[from:to], '.') < 8 {
			continue
		}
		if mixed(t[body:to]) {
			return match{start, to, Secret}, true
		}
	}
	return match{}, false
}

func (s *shape) holds(c byte) bool {
	if isLetter(c) || isDigit(c) || c == '-' || c == '_' {
		return true
	}
	for i := range len(s.more) {
		if s.more[i] == c {
			return true
		}
	}
	return false
}

// mixed tells whether a key has a digit or capital away from its ends, as all but
// one of ten thousand that are drawn at random have and words do not.
func mixed(key []byte) bool {
	for i := 4; i < len(key)-7; i++ {
		if isDigit(key[i]) || isCapital(key[i]) {
			return true
		}
	}
	return false
}

// privateKeys finds private keys as PEM has them: to their end, else to the end of
// the text, or within JSON to its quote.
func (s *scanner) privateKeys(t []byte, from, end int) {
	for from < end {
		n := bytes.Index(t[from:end], pemBegin)
		if n < 0 {
			return
		}
		i := from + n
		from = i + len(pemBegin)
		if !bytes.Contains(t[i:min(end, i+64)], pemKey) {
			continue
		}
		to := end
		if n := bytes.Index(t[from:end], pemEnd); n >= 0 {
			n += from + len(pemEnd)
			if m := bytes.Index(t[n:end], dashes); m >= 0 && m < 64 {
				to = n + m + len(dashes)
			}
		} else if n := bytes.IndexByte(t[i:end], '"'); n >= 0 {
			for to = i + n; to > i && t[to-1] == '\\'; to-- {
			}
		}
		s.found = append(s.found, match{i, to, Secret})
		from = to
	}
}
