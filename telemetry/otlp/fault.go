package otlp

import (
	"fmt"
	"strings"

	"treq/telemetry"
)

// fault is what is wrong with a message and where, collected while the walk
// returns, so that a walk that finds nothing pays nothing for it.
type fault struct {
	kind telemetry.Kind
	text string
	path []string // innermost first
}

func malformed(text string) *fault {
	return &fault{kind: telemetry.Invalid, text: text}
}

func tooDeep() *fault {
	return &fault{kind: telemetry.TooLarge, text: fmt.Sprintf("a value nested deeper than %d", MaxDepth)}
}

// maxPath bounds the path in an error's message, outermost kept.
const maxPath = 12

// within adds that the fault lies in a field of a message b, where it starts at start.
func (f *fault) within(in *field, b []byte, start int) *fault {
	step := in.name
	if in.repeated {
		step = fmt.Sprintf("%s[%d]", in.name, countBefore(b[:start], uint64(in.number)))
	}
	f.path = append(f.path, step)
	return f
}

// countBefore counts the fields of a number in the well-formed head of a message.
func countBefore(head []byte, number uint64) (n int) {
	var tag uint64
	for i := 0; i >= 0 && i < len(head); {
		if tag, i = varint(head, i); i < 0 {
			break
		}
		if tag>>3 == number {
			n++
		}
		i = skipWire(head, i, int(tag&7))
	}
	return n
}

// unknownFault says why an unknown field could not be skipped.
func unknownFault(tag uint64) *fault {
	number, wire := tag>>3, tag&7
	switch {
	case number == 0 || number > maxFieldNumber:
		return malformed(fmt.Sprintf("the impossible field number %d", number))
	case wire == 3 || wire == 4:
		return malformed(fmt.Sprintf("a group in field %d", number))
	case wire > wireI32:
		return malformed(fmt.Sprintf("the unknown wire type %d", wire))
	default:
		return malformed(fmt.Sprintf("the truncated unknown field %d", number))
	}
}

func (f *fault) err() error {
	path := f.path
	if len(path) > maxPath {
		path = path[len(path)-maxPath:]
	}
	var where strings.Builder
	for i := len(path) - 1; i >= 0; i-- {
		if where.Len() > 0 {
			where.WriteByte('.')
		}
		where.WriteString(path[i])
	}
	if where.Len() == 0 {
		where.WriteString("the request")
	}
	if f.kind == telemetry.TooLarge {
		return telemetry.Errorf(f.kind, "OTLP past a limit: %s has %s", &where, f.text)
	}
	return telemetry.Errorf(f.kind, "malformed OTLP: %s has %s", &where, f.text)
}
