package enrich

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// levels are the fields that lead from a request to its spans.
var levels = [...]protowire.Number{requestResourceSpans, resourceScopeSpans, scopeSpans}

// change is a message of a request, a span or one around it, that is another
// afterwards. Changes follow each other as the messages begin.
type change struct {
	number protowire.Number
	tag    int // where its field begins in the request
	from   int // its content
	to     int
	size   int // of the content that it has afterwards
	// content and the bytes of the additions between are what a span has afterwards;
	// content is nil for a message around spans.
	content    []byte
	begin, end int
}

// request adds to every span of a request what rules make of it. What does not
// decode comes back as it is: whoever takes it apart says so.
func request(body []byte, rules func(s *span)) []byte {
	s := pool.Get().(*span)
	defer s.giveBack()
	return s.request(body, rules)
}

// request looks through all spans first and then writes what it makes of them at
// once: a request of many spans is copied once, whatever encloses them.
func (s *span) request(body []byte, rules func(s *span)) []byte {
	s.changes, s.additions = s.changes[:0], s.additions[:0]
	grown, err := s.look(body, 0, len(body), 0, rules)
	if err != nil || len(s.changes) == 0 {
		return body
	}
	out := make([]byte, 0, len(body)+grown)
	written := 0
	for i := range s.changes {
		c := &s.changes[i]
		out = append(out, body[written:c.tag]...)
		out = protowire.AppendTag(out, c.number, protowire.BytesType)
		out = protowire.AppendVarint(out, uint64(c.size))
		written = c.from
		if c.content != nil {
			out = append(append(out, c.content...), s.additions[c.begin:c.end]...)
			written = c.to
		}
	}
	return append(out, body[written:]...)
}

// look notes the changes of the messages of a level between two places of a request,
// and tells by how much all of them grow.
func (s *span) look(body []byte, from, to, level int, rules func(s *span)) (grown int, err error) {
	for at := from; at < to; {
		p, ok := next(body[at:to])
		if !ok {
			return 0, errMalformed
		}
		end := at + p.size
		if p.number == levels[level] && p.kind == protowire.BytesType {
			mark := len(s.changes)
			s.changes = append(s.changes, change{number: p.number, tag: at, from: end - len(p.content), to: end})
			size := 0
			if level < len(levels)-1 {
				more, err := s.look(body, end-len(p.content), end, level+1, rules)
				if err != nil {
					return 0, err
				}
				size = len(p.content) + more
			} else if size, err = s.note(&s.changes[mark], p.content, rules); err != nil {
				return 0, err
			}
			if len(s.changes) == mark+1 && s.changes[mark].content == nil {
				s.changes = s.changes[:mark] // nothing in it is another
			} else {
				s.changes[mark].size = size
				grown += protowire.SizeTag(p.number) + protowire.SizeBytes(size) - p.size
			}
		}
		at = end
	}
	return grown, nil
}

// note looks at a span and notes what becomes of it in c, if it becomes another. It
// gives the size that the span has then.
func (s *span) note(c *change, message []byte, rules func(s *span)) (size int, err error) {
	edited, err := s.enriched(message, rules)
	if err != nil || len(s.added) == 0 && same(edited, message) {
		return len(message), err
	}
	c.content, c.begin = edited, len(s.additions)
	if edited == nil {
		c.content = there
	}
	s.additions = append(s.additions, s.added...)
	c.end = len(s.additions)
	return len(edited) + len(s.added), nil
}

// mostKept bounds what a span keeps of its room for the next request.
const mostKept = 1 << 20

// leave keeps nothing of the request, and no unusual room.
func (s *span) leave() {
	clear(s.changes)
	if cap(s.additions) > mostKept {
		s.additions = nil
	}
	if cap(s.changes) > mostKept/64 {
		s.changes = nil
	}
	s.changes, s.additions = s.changes[:0], s.additions[:0]
}
