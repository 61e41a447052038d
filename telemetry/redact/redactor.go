package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"treq/telemetry"
	"treq/telemetry/semconv"
)

// Redactor applies rules. It is safe for concurrent use; make one with New.
type Redactor struct {
	modes    [known]Mode
	names    []string // of kinds and own patterns, as masks have them
	patterns []pattern
	exact    map[string]Mode
	prefixes []fieldPrefix
	finds    bool // anything may be found in text
	whole    bool // every value must be looked at, not only where the fast scan stops
	bare     bool // content goes
	keyed    sync.Pool

	counts  []atomic.Uint64 // by kind
	dropped atomic.Uint64   // fields and content
	walkers sync.Pool
}

type pattern struct {
	re      *regexp.Regexp
	literal []byte // what every match begins with
	mode    Mode
}

// may tells, cheaply, whether the text can have a match.
func (p *pattern) may(t []byte) bool { return len(p.literal) == 0 || bytes.Contains(t, p.literal) }

type fieldPrefix struct {
	prefix string
	mode   Mode
}

// New makes a Redactor. The error is that of Rules.Validate, or says that a key for
// hashes is missing.
func New(rules Rules) (*Redactor, error) {
	if err := rules.Validate(); err != nil {
		return nil, err
	}
	r := &Redactor{exact: map[string]Mode{}, bare: rules.Content == NoContent}
	for k := range r.modes {
		r.modes[k] = Keep
		r.names = append(r.names, strings.ToUpper(kindNames[k]))
		if m, ok := rules.Kinds[kindNames[k]]; ok {
			r.modes[k] = m
		}
		r.finds = r.finds || r.modes[k] != Keep
	}
	for _, p := range rules.Patterns {
		if p.Mode == "" {
			p.Mode = Mask
		}
		re := regexp.MustCompile(p.Match)
		literal, _ := re.LiteralPrefix()
		r.patterns = append(r.patterns, pattern{re, []byte(literal), p.Mode})
		r.names = append(r.names, strings.ToUpper(p.Name))
		r.finds = true
	}
	for name, mode := range rules.Fields {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			r.prefixes = append(r.prefixes, fieldPrefix{prefix, mode})
		} else {
			r.exact[name] = mode
		}
	}
	r.whole = len(rules.Fields) > 0 || len(rules.Patterns) > 0 || r.bare
	r.counts = make([]atomic.Uint64, len(r.names))
	if rules.Key.IsZero() && !rules.Empty() {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "a key for hashes is missing")
	}
	secret := []byte(rules.Key.Reveal())
	r.keyed.New = func() any { return hmac.New(sha256.New, secret) }
	r.walkers.New = func() any {
		w := &walker{r: r}
		w.scanner.r = r
		return w
	}
	return r, nil
}

// Counts tells how many pieces of text were replaced since the start, by the name of
// their kind or pattern, and under "content" how many fields were emptied or taken
// away. The values themselves are nowhere kept.
func (r *Redactor) Counts() map[string]uint64 {
	m := make(map[string]uint64, len(r.names)+1)
	for i, name := range r.names {
		m[strings.ToLower(name)] = r.counts[i].Load()
	}
	m["content"] = r.dropped.Load()
	return m
}

func (r *Redactor) mode(k Kind) Mode {
	if k < known {
		return r.modes[k]
	}
	return r.patterns[k-known].mode
}

// field gives the mode that a rule sets for an attribute, "" if none does. An exact
// name goes before a beginning, and the longer beginning before the shorter.
func (r *Redactor) field(name []byte) Mode {
	if m, ok := r.exact[string(name)]; ok {
		return m
	}
	best := -1
	var mode Mode
	for i := range r.prefixes {
		p := &r.prefixes[i]
		if len(p.prefix) > best && len(name) >= len(p.prefix) && string(name[:len(p.prefix)]) == p.prefix {
			best, mode = len(p.prefix), p.mode
		}
	}
	return mode
}

// treatment is how the text of a value is to be handled.
type treatment struct {
	// person has matches hashed that would be masked.
	person bool
	// field replaces the text as a whole; "" does not.
	field Mode
	// bare takes the words away.
	bare bool
	// key is the member's or attribute's own name where bare.
	key []byte
}

// treat decides on an attribute: skip leaves it alone, drop takes it away.
func (r *Redactor) treat(name []byte, outer treatment) (how treatment, skip, drop bool) {
	if r.whole {
		switch m := r.field(name); m {
		case Keep:
			return outer, true, false
		case Drop:
			return outer, false, true
		case Mask, Hash:
			return treatment{field: m}, false, false
		}
	}
	if outer.field != "" || outer.bare {
		outer.key = name
		return outer, false, false
	}
	switch semconv.SenseOf(name) {
	case semconv.Identity:
		return outer, true, false
	case semconv.Personal:
		return treatment{person: true}, false, false
	case semconv.Written:
		if r.bare {
			// What nobody counts by goes with its name; of the rest the numbers stay.
			return treatment{bare: true, key: name}, false, semconv.Lookup(name) == semconv.NoKey
		}
	}
	return outer, false, false
}

// appendMask appends what stands in the place of text of a kind.
func (r *Redactor) appendMask(dst []byte, k Kind, text []byte, person bool) []byte {
	r.counts[k].Add(1)
	m := r.mode(k)
	if person && m == Mask {
		m = Hash
	}
	return r.appendNamed(dst, r.names[k], text, m)
}

func (r *Redactor) appendNamed(dst []byte, name string, text []byte, m Mode) []byte {
	dst = append(append(dst, '['), name...)
	if m == Hash {
		dst = append(dst, ':')
		dst = r.appendHash(dst, text)
	}
	return append(dst, ']')
}

// hashBytes is how much of the HMAC is shown: enough that no two of a trillion
// values meet.
const hashBytes = 10

// appendHash appends the keyed hash of text in letters, which nothing takes for a number.
func (r *Redactor) appendHash(dst, text []byte) []byte {
	h := r.keyed.Get().(hash.Hash)
	h.Reset()
	_, _ = h.Write(text)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	r.keyed.Put(h)
	for _, b := range sum[:hashBytes] {
		dst = append(dst, 'a'+b>>4, 'a'+b&0xf)
	}
	return dst
}

// Traces gives an encoded ExportTraceServiceRequest with what the rules look for
// replaced: body itself, the same slice, where nothing was found, and else memory of
// its own. Ids, models, counts and times are never touched. The error, of kind
// Invalid, is for bytes that no door lets in.
func (r *Redactor) Traces(body []byte) ([]byte, error) { return r.request(body, requests.traces) }

// Logs is Traces for an ExportLogsServiceRequest.
func (r *Redactor) Logs(body []byte) ([]byte, error) { return r.request(body, requests.logs) }

// Metrics is Traces for an ExportMetricsServiceRequest, whose attributes alone hold text.
func (r *Redactor) Metrics(body []byte) ([]byte, error) { return r.request(body, requests.metrics) }

func (r *Redactor) request(body []byte, m *message) ([]byte, error) {
	w := r.walkers.Get().(*walker)
	defer r.walkers.Put(w)
	return w.request(body, m)
}
