package export

import (
	"time"

	"treq/telemetry/journal"
)

// Rewrite gives the body of a record as a sink is to have it: body itself where
// nothing changes, else memory of its own. It is called from several goroutines at once.
type Rewrite func(kind journal.Kind, body []byte) ([]byte, error)

// prepare gives what of a record goes to the sink, but for the spans that found their
// end before, and counts the rest as sampled out. What cannot be rewritten is not sent as it is: it has a fault.
func (p *pump) prepare(t *ticket, spans int64) (whole piece, any bool) {
	s := p.sink
	begun, record := t.progress.taken, t.record
	whole = piece{ticket: t, spans: spans, whole: true, ordered: true, from: begun}
	learns, doubts := p.repeats.learns(record), p.repeats.doubts(record)
	if p.choice == nil && p.thrift == nil && s.rewrite == nil && s.enrich == nil && begun == 0 && !learns && !doubts {
		return whole, true
	}
	data, err := record.Data()
	if err != nil {
		return whole, true // packing finds the same, and buries the record
	}
	if begun > 0 {
		if _, rest, err := splitSpans(data, begun); err == nil {
			whole.whole, whole.data, data = false, rest, rest
		}
	}
	if doubts {
		rest, n, err := p.repeats.without(data)
		n = min(n, spans)
		if err == nil && n > 0 {
			p.end(t, counts{Repeated: n})
			if n == spans {
				return whole, false
			}
			spans -= n
			whole = piece{ticket: t, spans: spans, data: rest}
			data = rest
		}
	}
	if learns {
		p.repeats.learn(data)
	}
	if p.choice != nil {
		chosen, n, err := p.choice.of(data)
		n = min(n, spans)
		if err == nil && n == 0 {
			p.sampleOut(t, spans)
			return whole, false
		}
		if err == nil && n < spans {
			p.sampleOut(t, spans-n)
			whole = piece{ticket: t, spans: n, data: chosen}
			data = chosen
		}
	}
	if p.thrift != nil {
		chosen, n, err := p.thrift.of(data, time.Now(), record.Position)
		n = min(n, whole.spans)
		if err == nil && n == 0 {
			p.sampleOut(t, whole.spans)
			return whole, false
		}
		if err == nil && n < whole.spans {
			p.sampleOut(t, whole.spans-n)
			whole = piece{ticket: t, spans: n, data: chosen}
			data = chosen
		}
	}
	p.finish(&whole, data)
	return whole, true
}

// finish makes of a piece whose request is data what the sink is to have.
func (p *pump) finish(whole *piece, data []byte) {
	s, clean := p.sink, data
	if s.rewrite != nil {
		var err error
		if clean, err = s.rewrite(whole.ticket.record.Kind, data); err != nil {
			whole.whole, whole.fault = false, err
			return
		}
	}
	if s.enrich != nil {
		clean = s.enrich(clean)
	}
	if len(clean) != len(data) || len(clean) > 0 && &clean[0] != &data[0] {
		whole.whole, whole.data = false, clean
	}
}

// sampleOut counts spans of a record that do not go to the sink.
func (p *pump) sampleOut(t *ticket, spans int64) { p.end(t, counts{SampledOut: spans}) }
