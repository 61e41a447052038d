package understand

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"

	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/otlp"
)

// values are what an attribute may say instead.
var values = []func(key string) otlp.KV{
	func(k string) otlp.KV { return otlp.Str(k, "") },
	func(k string) otlp.KV { return otlp.Str(k, "a word") },
	func(k string) otlp.KV { return otlp.Str(k, " 17 ") },
	func(k string) otlp.KV { return otlp.Str(k, "unknown") },
	func(k string) otlp.KV { return otlp.Str(k, "wss://host/path") },
	func(k string) otlp.KV { return otlp.Str(k, "<generator object f at 0x7f>") },
	func(k string) otlp.KV { return otlp.Str(k, `{"stream":true,"model":"m"}`) },
	func(k string) otlp.KV {
		return otlp.Str(k, `{"input_tokens":7,"output_tokens":-1,"documents":[{"score":0.3},{"score":7}]}`)
	},
	func(k string) otlp.KV { return otlp.Str(k, string(bytes.Repeat([]byte("word "), 40))) },
	func(k string) otlp.KV { return otlp.I64(k, 0) },
	func(k string) otlp.KV { return otlp.I64(k, 5) },
	func(k string) otlp.KV { return otlp.I64(k, -5) },
	func(k string) otlp.KV { return otlp.I64(k, 1<<53) },
	func(k string) otlp.KV { return otlp.F64(k, 0.5) },
	func(k string) otlp.KV { return otlp.F64(k, 3) },
	func(k string) otlp.KV { return otlp.F64(k, math.NaN()) },
	func(k string) otlp.KV { return otlp.Flag(k, true) },
	func(k string) otlp.KV { return otlp.Strs(k, "stop", "error") },
	func(k string) otlp.KV { return otlp.Group(k, otlp.I64("input_tokens", 9)) },
}

// otherwise gives a span with some of its fields changed.
func otherwise(r *rand.Rand, raw []byte) (changed []byte) {
	if r.IntN(4) == 0 {
		changed = bytes.Clone(raw)
		changed[r.IntN(len(changed))] ^= 1 << r.IntN(8)
		return changed
	}
	one := r.IntN(12)
	var last []byte // put behind all others
	moved := r.IntN(4) == 0
	for at := 0; len(raw) > 0; at++ {
		number, _, n := protowire.ConsumeField(raw)
		field := raw[:n]
		raw = raw[n:]
		switch {
		case number == 9 && r.IntN(4) == 0:
			_, _, tag := protowire.ConsumeTag(field)
			kv, _ := protowire.ConsumeBytes(field[tag:])
			_, _, tag = protowire.ConsumeTag(kv)
			key, _ := protowire.ConsumeBytes(kv[tag:])
			with := otlp.AppendSpan(nil, &otlp.SpanData{Attributes: []otlp.KV{values[r.IntN(len(values))](string(key))}})
			changed = append(changed, with...)
		case at == one && moved:
			last = field
		case at == one && r.IntN(3) == 0: // left out
		case at == one && r.IntN(3) == 0: // told twice
			changed = append(append(changed, field...), field...)
		case (number == 7 || number == 8) && r.IntN(4) == 0:
			changed = append(changed, field[0])
			changed = binary.LittleEndian.AppendUint64(changed, []uint64{0, 1, 1 << 62, math.MaxUint64, uint64(epoch.UnixNano())}[r.IntN(5)])
		default:
			changed = append(changed, field...)
		}
	}
	return append(changed, last...)
}

// variants gives requests with some of their spans changed, those that a door lets in.
func variants(r *rand.Rand, all [][]byte) (changed [][]byte) {
	for _, body := range all {
		if body, ok := eachField(body, 0, func(span []byte) []byte {
			if r.IntN(2) == 0 {
				return span
			}
			return otherwise(r, span)
		}); ok {
			if c, err := otlp.CheckTraces(body); err == nil && c.BadIDs == 0 {
				changed = append(changed, body)
			}
		}
	}
	return changed
}

// eachField writes a request anew with change made to each span; false where it is not
// well formed.
func eachField(message []byte, depth int, change func([]byte) []byte) (out []byte, ok bool) {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil, false
		}
		n := protowire.ConsumeFieldValue(number, kind, message[size:])
		if n < 0 {
			return nil, false
		}
		if depth < 3 && number == [...]protowire.Number{1, 2, 2}[depth] && kind == protowire.BytesType {
			inner, _ := protowire.ConsumeBytes(message[size:])
			if inner, ok = eachField(inner, depth+1, change); !ok {
				return nil, false
			}
			if depth == 2 {
				inner = change(inner)
			}
			out = protowire.AppendBytes(protowire.AppendTag(out, number, kind), inner)
		} else {
			out = append(out, message[:size+n]...)
		}
		message = message[size+n:]
	}
	return out, true
}
