package runs

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"treq/telemetry"
	"treq/telemetry/journal"
)

// Query says which runs a list has, and in which order. Fields that are zero ask
// for nothing.
type Query struct {
	// Limit is 1 to MostListed; 0 is DefaultList.
	Limit int
	// Text stands somewhere in the name, service, model, error, user, conversation or
	// the beginning of the input, whatever case and accents it is written with, or is
	// the beginning of an id.
	Text string
	// Service, Model, User and Conversation are exact.
	Service, Model, User, Conversation string
	// Outcome is success, failure or running.
	Outcome string
	// Feedback is positive (half the scale or more), negative, any or none.
	Feedback string
	// SimilarityBelow leaves those whose least similarity is below it; nil leaves all.
	SimilarityBelow *float64
	// From and To bound the start, From included.
	From, To time.Time
	// Sort is similarity (the lowest first, and only runs that have one), or start,
	// duration, cost (the greatest first); "" puts first what was last heard of.
	Sort string
	// Cursor is List.Next of the page before.
	Cursor string
}

// order is where a run stands in a list: the greater first.
type order struct{ by, heard int64 }

func (o order) compare(p order) int {
	if o.by != p.by {
		if o.by > p.by {
			return -1
		}
		return 1
	}
	switch {
	case o.heard > p.heard:
		return -1
	case o.heard < p.heard:
		return 1
	}
	return 0
}

// filter is a query in the terms of rows.
type filter struct {
	q          Query
	text       []byte
	digits     []byte // of an id; nil if the text is none
	user, talk uint64
	from, to   int64
	after      *order
	floor      journal.Position
	score      func(r *row, c *chunk) (float64, bool)
}

// compile checks a query. Errors are of kind Unprocessable.
func (t *rows) compile(q Query) (*filter, error) {
	f := &filter{q: q, user: t.hash([]byte(q.User)), talk: t.hash([]byte(q.Conversation)), to: math.MaxInt64}
	if q.Text != "" {
		f.text = []byte(fold(strings.TrimSpace(q.Text)))
		f.digits, _ = looksLikeID(string(f.text))
	}
	if !q.From.IsZero() {
		f.from = q.From.UnixNano()
	}
	if !q.To.IsZero() {
		f.to = q.To.UnixNano()
	}
	if !slices.Contains([]string{"", "success", "failure", "running"}, q.Outcome) {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "outcome is success, failure or running, not %.40q", q.Outcome)
	}
	if !slices.Contains([]string{"", "positive", "negative", "any", "none"}, q.Feedback) {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "feedback is positive, negative, any or none, not %.40q", q.Feedback)
	}
	if !slices.Contains([]string{"", "similarity", "start", "duration", "cost"}, q.Sort) {
		return nil, telemetry.Errorf(telemetry.Unprocessable, "sort is similarity, start, duration or cost, not %.40q", q.Sort)
	}
	if q.Cursor != "" {
		by, heard, ok := strings.Cut(q.Cursor, "_")
		a, err := strconv.ParseInt(by, 36, 64)
		b, err2 := strconv.ParseInt(heard, 36, 64)
		if !ok || err != nil || err2 != nil {
			return nil, telemetry.Errorf(telemetry.Unprocessable, "the cursor %.40q is none of a list", q.Cursor)
		}
		f.after = &order{a, b}
	}
	return f, nil
}

func (o order) cursor() string {
	return fmt.Sprintf("%s_%s", strconv.FormatInt(o.by, 36), strconv.FormatInt(o.heard, 36))
}

// order gives a row's place; false if it has none in this order.
func (f *filter) order(r *row) (order, bool) {
	o := order{heard: int64(r.heard)}
	switch f.q.Sort {
	case "similarity":
		if !r.flags.has(hasSimilarity) {
			return o, false
		}
		o.by = -int64(float64(r.similarity) * 1e9)
	case "start":
		o.by = r.start
	case "duration":
		o.by = r.duration
	case "cost":
		o.by = r.cost
		if !r.flags.has(hasCost) {
			o.by = -1
		}
	}
	return o, true
}

// matcher applies a filter to the rows of one chunk.
type matcher struct {
	*filter
	c    *chunk
	said map[place32]bool // whether a shared text holds the text
}

func (f *filter) on(c *chunk) matcher { return matcher{f, c, map[place32]bool{}} }

func (m *matcher) match(r *row) bool {
	q := &m.q
	if r.flags.has(isDead) || r.heard < m.floor || r.start < m.from || r.start >= m.to ||
		m.user != 0 && r.user != m.user || m.talk != 0 && r.talk != m.talk ||
		q.Service != "" && string(m.c.bytesOf(r.service)) != q.Service ||
		q.Model != "" && string(m.c.bytesOf(r.model)) != q.Model ||
		q.Outcome != "" && q.Outcome != r.outcome() ||
		q.SimilarityBelow != nil && (!r.flags.has(hasSimilarity) || float64(r.similarity) >= *q.SimilarityBelow) {
		return false
	}
	if q.Feedback != "" {
		score, judged := m.score(r, m.c)
		switch q.Feedback {
		case "any", "none":
			if judged != (q.Feedback == "any") {
				return false
			}
		default:
			if !judged || negative(score) != (q.Feedback == "negative") {
				return false
			}
		}
	}
	return len(m.text) == 0 || m.holds(r)
}

// holds tells whether the text stands in a row.
func (m *matcher) holds(r *row) bool {
	if m.digits != nil && (digitsBegin(&r.trace, m.digits) || digitsBegin(&r.run, m.digits) ||
		bytes.HasPrefix(hex.AppendEncode(make([]byte, 0, 16), r.run[8:]), m.digits)) {
		return true
	}
	for _, p := range [...]place32{r.name, r.service, r.model, r.err} {
		said, known := m.said[p]
		if !known {
			said = strings.Contains(fold(m.c.text(p)), string(m.text))
			m.said[p] = said
		}
		if said {
			return true
		}
	}
	return bytes.Contains(m.c.bytesOf(r.words), m.text) ||
		r.shownID != 0 && strings.Contains(fold(m.c.text(r.shownID)), string(m.text))
}

// digitsBegin tells whether an id begins with digits.
func digitsBegin(id *[16]byte, digits []byte) bool {
	const hexadecimal = "0123456789abcdef"
	for i, d := range digits {
		if hexadecimal[id[i/2]>>(4*uint(1-i&1))&15] != d {
			return false
		}
	}
	return true
}

func (r *row) outcome() string {
	switch {
	case r.flags.has(isGoing):
		return "running"
	case r.flags.has(isFailed):
		return "failure"
	}
	return "success"
}

// hit is a row that a list shows.
type hit struct {
	order
	r *row
	c *chunk
}

// best keeps the first so many of what it is told.
type best struct {
	most  int
	hits  []hit
	total int
}

// scan tells the rows that match. mu is held.
func (b *best) scan(t *rows, f *filter, without map[[16]byte]bool) {
	for k := len(t.chunks) - 1; k >= 0; k-- {
		c := t.chunks[k]
		m := f.on(c)
		for i := len(c.rows) - 1; i >= 0; i-- {
			r := &c.rows[i]
			if !m.match(r) || without[r.trace] {
				continue
			}
			o, ok := f.order(r)
			if !ok {
				continue
			}
			b.total++
			if f.after != nil && o.compare(*f.after) <= 0 {
				continue
			}
			b.add(hit{o, r, c})
		}
	}
}

func (b *best) add(h hit) {
	if len(b.hits) == b.most && b.hits[b.most-1].compare(h.order) <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(b.hits, h, func(a, h hit) int { return a.compare(h.order) })
	if len(b.hits) == b.most {
		b.hits = b.hits[:b.most-1]
	}
	b.hits = slices.Insert(b.hits, i, h)
}

// short gives a number as it was before it was rounded to four bytes, as far as a
// similarity tells that.
func short(f float32) float64 {
	n, _ := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	return n
}
