package otlp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

func doubleBits(f float64) uint64 { return math.Float64bits(f) }

// payload makes the load that the figures are measured with: traces of four
// spans (request, search, embedding, model call) with 34 attributes, two more with
// content of so many bytes on the model call.
func payload(spans, content int) []ResourceData {
	prompt := strings.Repeat("Qual é a política de devolução? ", content/33+1)[:content]
	var list []SpanData
	for i := 0; i < spans; i += 4 {
		trace := [16]byte{1, byte(i >> 8), byte(i), 9}
		id := func(n int) [8]byte { return [8]byte{2, byte((i + n) >> 8), byte(i + n), 7} }
		start := uint64(1_760_000_000_000_000_000 + i*1_000_000)
		span := func(n int, name string, kind SpanKind, attributes ...KV) SpanData {
			return SpanData{
				TraceID: trace, SpanID: id(n), Name: name, Kind: kind, Start: start + uint64(n), End: start + 900_000,
				Attributes: attributes,
			}
		}
		request := span(0, "POST /chat", KindServer,
			Str("http.request.method", "POST"), Str("url.path", "/chat"), Str("url.scheme", "https"), Str("http.route", "/chat"),
			I64("http.response.status_code", 200), Str("server.address", "api.example.com"), I64("server.port", 443),
			Str("user_agent.original", "Mozilla/5.0"))
		search := span(1, "retrieval", KindClient,
			Str("db.system.name", "qdrant"), Str("db.operation.name", "query"), Str("gen_ai.operation.name", "retrieval"),
			Str("gen_ai.data_source.id", "manuals"), I64("db.response.returned_rows", 5), F64("treq.similarity", 0.82),
			Flag("treq.cache.hit", false), Str("langsmith.span.kind", "retriever"))
		embedding := span(2, "embeddings", KindClient,
			Str("gen_ai.operation.name", "embeddings"), Str("gen_ai.provider.name", "openai"), Str("gen_ai.request.model", "text-embedding-3-small"),
			I64("gen_ai.usage.input_tokens", 17), I64("gen_ai.embeddings.dimension.count", 1536), Str("server.address", "api.openai.com"))
		model := span(3, "chat llama-3.1-8b-instant", KindClient,
			Str("gen_ai.operation.name", "chat"), Str("gen_ai.provider.name", "groq"), Str("gen_ai.request.model", "llama-3.1-8b-instant"),
			Str("gen_ai.response.model", "llama-3.1-8b-instant"), I64("gen_ai.usage.input_tokens", 1200), I64("gen_ai.usage.output_tokens", 340),
			F64("gen_ai.request.temperature", 0.2), I64("gen_ai.request.max_tokens", 1024), Strs("gen_ai.response.finish_reasons", "stop"),
			Str("gen_ai.conversation.id", "c-1"), Flag("gen_ai.request.stream", true), Str("server.address", "api.groq.com"))
		if content > 0 {
			model.Attributes = append(model.Attributes, Str("gen_ai.prompt", prompt), Str("gen_ai.completion", prompt))
		}
		search.ParentID, embedding.ParentID, model.ParentID = id(0), id(1), id(0)
		list = append(list, request, search, embedding, model)
	}
	return []ResourceData{{
		Attributes: []KV{Str("service.name", "chat"), Str("telemetry.sdk.language", "python")},
		Scopes:     []ScopeData{{Name: "app", Version: "1.2", Spans: list}},
	}}
}

// random makes requests of every shape that the builders know.
type random struct{ *rand.Rand }

func (r random) word() string {
	return []string{"", "a", "service.name", "ünï", "gen_ai.usage.input_tokens", strings.Repeat("x", r.IntN(300))}[r.IntN(6)]
}

func (r random) kv(depth int) KV {
	key := r.word()
	most := 8
	if depth == 0 {
		most = 6
	}
	switch r.IntN(most) {
	case 0:
		return KV{key: key}
	case 1:
		return Str(key, r.word())
	case 2:
		return I64(key, int64(r.Uint64()>>r.IntN(64)))
	case 3:
		return F64(key, []float64{0, -1.5, math.NaN(), math.Inf(1), 1e300}[r.IntN(5)])
	case 4:
		return Flag(key, r.IntN(2) == 0)
	case 5:
		return Blob(key, []byte(r.word()))
	case 6:
		return List(key, r.kvs(depth-1)...)
	default:
		return Group(key, r.kvs(depth-1)...)
	}
}

func (r random) kvs(depth int) []KV {
	list := make([]KV, r.IntN(5))
	for i := range list {
		list[i] = r.kv(depth)
	}
	return list
}

func (r random) span() SpanData {
	s := SpanData{
		Name: r.word(), Kind: SpanKind(r.IntN(6)), Start: r.Uint64() >> r.IntN(64), End: r.Uint64() >> r.IntN(64),
		Attributes: r.kvs(3), Status: StatusCode(r.IntN(3)), StatusMessage: r.word(),
	}
	s.TraceID[r.IntN(16)] = byte(r.IntN(3))
	s.SpanID[r.IntN(8)] = byte(r.IntN(3))
	s.ParentID[r.IntN(8)] = byte(r.IntN(2))
	for range r.IntN(3) {
		s.Events = append(s.Events, EventData{Time: r.Uint64() >> r.IntN(64), Name: r.word(), Attributes: r.kvs(2)})
	}
	return s
}

func (r random) resources() []ResourceData {
	list := make([]ResourceData, r.IntN(3))
	for i := range list {
		list[i].Attributes = r.kvs(2)
		for range r.IntN(3) {
			s := ScopeData{Name: r.word(), Version: r.word()}
			for range r.IntN(4) {
				s.Spans = append(s.Spans, r.span())
			}
			list[i].Scopes = append(list[i].Scopes, s)
		}
	}
	return list
}

func (r random) logs() []byte {
	var body []byte
	for range r.IntN(3) {
		var records []LogData
		for range r.IntN(4) {
			record := LogData{
				Time: r.Uint64() >> r.IntN(64), Observed: r.Uint64() >> r.IntN(64), EventName: r.word(), Body: r.kv(3), Attributes: r.kvs(2),
			}
			record.TraceID[3] = byte(r.IntN(2))
			record.SpanID[3] = byte(r.IntN(2))
			if r.IntN(3) == 0 {
				record.EventName = ""
				record.Attributes = append(record.Attributes, Str(eventNameKey, fmt.Sprintf("e%d", r.IntN(9))))
			}
			records = append(records, record)
		}
		body = AppendLogsRequest(body, r.kvs(1), r.word(), records...)
	}
	return body
}

// mutate damages a copy of b in one to four places.
func (r random) mutate(b []byte) []byte {
	b = append([]byte(nil), b...)
	for range 1 + r.IntN(4) {
		if len(b) == 0 {
			return b
		}
		i := r.IntN(len(b))
		switch r.IntN(5) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = byte(r.IntN(256))
		case 2:
			b = b[:i]
		case 3:
			b = append(b[:i], b[i+1:]...)
		default:
			j := i + r.IntN(min(len(b)-i, 20))
			b = append(b[:j:j], b[i:]...)
		}
	}
	return b
}
