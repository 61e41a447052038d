package export

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// The parts of a request: what stands beside the children of a message goes with each
// part that has some of them. Spans are whole fields, with tag and length.
type (
	cutScope    struct{ beside, spans [][]byte }
	cutResource struct {
		beside [][]byte
		scopes []cutScope
	}
	cutter struct {
		beside    [][]byte
		resources []cutResource
	}
)

// cutSpans gives the request in parts of those numbers of spans, which are all that it
// has, each in memory of its own. A resource or scope without spans is in none.
func cutSpans(request []byte, sizes []int64) ([][]byte, error) {
	if len(sizes) == 1 {
		return [][]byte{request}, nil
	}
	var c cutter
	err := separate(request, requestResourceSpans, &c.beside, func(_, resource []byte) error {
		var r cutResource
		err := separate(resource, resourceScopeSpans, &r.beside, func(_, scope []byte) error {
			var s cutScope
			err := separate(scope, scopeSpans, &s.beside, func(field, _ []byte) error {
				s.spans = append(s.spans, field)
				return nil
			})
			if len(s.spans) > 0 {
				r.scopes = append(r.scopes, s)
			}
			return err
		})
		if len(r.scopes) > 0 {
			c.resources = append(c.resources, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	parts := make([][]byte, len(sizes))
	for i, n := range sizes {
		parts[i] = c.next(n).encode()
	}
	return parts, nil
}

// separate tells the children of a message, as fields and as what these hold, and
// appends its other fields to beside.
func separate(message []byte, child protowire.Number, beside *[][]byte, see func(field, content []byte) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errMalformed
		}
		m := protowire.ConsumeFieldValue(number, kind, message[n:])
		if m < 0 {
			return errMalformed
		}
		field := message[:n+m]
		message = message[n+m:]
		if number != child || kind != protowire.BytesType {
			*beside = append(*beside, field)
			continue
		}
		content, _ := protowire.ConsumeBytes(field[n:])
		if err := see(field, content); err != nil {
			return err
		}
	}
	return nil
}

// next takes the next n spans, as many as there are.
func (c *cutter) next(n int64) cutter {
	part := cutter{beside: c.beside}
	for n > 0 && len(c.resources) > 0 {
		from := &c.resources[0]
		to := cutResource{beside: from.beside}
		for n > 0 && len(from.scopes) > 0 {
			scope := &from.scopes[0]
			some := scope.spans[:min(n, int64(len(scope.spans)))]
			to.scopes = append(to.scopes, cutScope{scope.beside, some})
			n -= int64(len(some))
			if scope.spans = scope.spans[len(some):]; len(scope.spans) == 0 {
				from.scopes = from.scopes[1:]
			}
		}
		part.resources = append(part.resources, to)
		if len(from.scopes) == 0 {
			c.resources = c.resources[1:]
		}
	}
	return part
}

// encode writes a request.
func (c cutter) encode() []byte {
	size := total(c.beside)
	for i := range c.resources {
		size += fieldSize(requestResourceSpans, c.resources[i].size())
	}
	out := join(make([]byte, 0, size), c.beside)
	for i := range c.resources {
		r := &c.resources[i]
		out = join(begin(out, requestResourceSpans, r.size()), r.beside)
		for j := range r.scopes {
			s := &r.scopes[j]
			out = join(begin(out, resourceScopeSpans, s.size()), s.beside)
			out = join(out, s.spans)
		}
	}
	return out
}

func (s *cutScope) size() int { return total(s.beside) + total(s.spans) }

func (r *cutResource) size() int {
	size := total(r.beside)
	for i := range r.scopes {
		size += fieldSize(resourceScopeSpans, r.scopes[i].size())
	}
	return size
}

// begin writes tag and length of a message of so many bytes.
func begin(out []byte, number protowire.Number, size int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(out, number, protowire.BytesType), uint64(size))
}

func fieldSize(number protowire.Number, size int) int {
	return protowire.SizeTag(number) + protowire.SizeBytes(size)
}

func join(out []byte, fields [][]byte) []byte {
	for _, f := range fields {
		out = append(out, f...)
	}
	return out
}

func total(fields [][]byte) (n int) {
	for _, f := range fields {
		n += len(f)
	}
	return n
}
