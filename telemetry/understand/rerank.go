package understand

import (
	"bytes"

	"github.com/zeebo/xxh3"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// mostReranked bounds the documents whose order is compared.
const mostReranked = 128

// reordering is what a reranker span says of the order in which documents went in
// and came out. A document is known by its id, else by its content.
type reordering struct {
	in, out [mostReranked]uint64 // 0: not told
	any     bool
	cut     bool // there were more
}

var (
	suffixID      = []byte(".id")
	suffixContent = []byte(".content")
)

func (o *reordering) note(key semconv.Key, a *otlp.Attribute) {
	place, told := semconv.Index(a.Key)
	isID := bytes.HasSuffix(a.Key, suffixID)
	if !told || !isID && !bytes.HasSuffix(a.Key, suffixContent) || len(a.Value.Bytes) == 0 {
		return
	}
	if place >= mostReranked {
		o.cut = true
		return
	}
	o.any = true
	list := &o.in
	if key == semconv.KeyOIRerankedDocument {
		list = &o.out
	}
	// Of a document told both ways the id counts, in whatever order they come.
	const named = 1
	if was := list[place]; isID || was&named == 0 {
		list[place] = xxh3.Hash(a.Value.Bytes) &^ named
		if isID {
			list[place] |= named
		}
	}
}

// displacement is how far the documents that came out moved, of the farthest that
// they could have; false where the two orders cannot be compared.
func (o *reordering) displacement() (d float64, told bool) {
	if o.cut {
		return 0, false
	}
	in, out := length(&o.in), length(&o.out)
	if in < 2 || out == 0 {
		return 0, false
	}
	place := make(map[uint64]int, in)
	for i, document := range o.in[:in] {
		if _, twice := place[document]; twice || document == 0 {
			return 0, false
		}
		place[document] = i
	}
	moved, most := 0, 0
	for i, document := range o.out[:out] {
		was, known := place[document]
		if !known {
			return 0, false
		}
		delete(place, document)
		moved += max(i-was, was-i)
		most += max(i, in-1-i)
	}
	return min(1, float64(moved)/float64(most)), true
}

// length is that of the list up to its last told document.
func length(list *[mostReranked]uint64) int {
	n := len(list)
	for n > 0 && list[n-1] == 0 {
		n--
	}
	return n
}
