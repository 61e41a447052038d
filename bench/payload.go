package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"treq/test/e2e/e2etest"
)

// spansPerTrace is the size of the payload's traces: POST /chat, the search, its
// embedding and the model call, with 34 attributes between them.
const spansPerTrace = 4

// payload is an encoded request whose ids can be replaced in place, so that every
// request has spans of its own and the generator costs little.
type payload struct {
	template []byte
	hex      bool
	ids      []place // where trace and span ids stand
	spans    int
	traces   int // of them, those with their root
}

// place is where an id stands, and which of the request's ids it is.
type place struct{ offset, size, index int }

// newPayload makes a request of batch spans with content bytes of prompt and of
// completion on each model call.
func newPayload(batch, content int, isJSON bool) (*payload, error) {
	var spans []*trace.Span
	now := time.Now().Add(-2 * time.Second)
	for i := range batch / spansPerTrace {
		spans = append(spans, oneTrace(i, content, now)...)
	}
	p, err := encode(spans, isJSON)
	if err == nil {
		p.traces = batch / spansPerTrace
	}
	return p, err
}

// newRootless makes a request of traces whose root is never sent, so that they
// stay open; at most batch spans.
func newRootless(batch int) (*payload, error) {
	var spans []*trace.Span
	now := time.Now().Add(-2 * time.Second)
	for i := range batch / (spansPerTrace - 1) {
		spans = append(spans, oneTrace(i, 0, now)[1:]...)
	}
	return encode(spans, false)
}

func encode(spans []*trace.Span, isJSON bool) (*payload, error) {
	request := e2etest.Request("treq-backend", spans...)
	request.ResourceSpans[0].Resource.Attributes = append(request.ResourceSpans[0].Resource.Attributes,
		e2etest.Text("service.version", "1.4.2"), e2etest.Text("deployment.environment.name", "production"))
	body, err := proto.Marshal(request)
	if err != nil {
		return nil, err
	}
	if isJSON {
		message := ptraceotlp.NewExportRequest()
		if err := message.UnmarshalProto(body); err != nil {
			return nil, err
		}
		if body, err = message.MarshalJSON(); err != nil {
			return nil, err
		}
	}
	p := &payload{template: body, hex: isJSON, spans: len(spans)}
	return p, p.locate(request)
}

// locate finds every id in the template by its value.
func (p *payload) locate(request *collector.ExportTraceServiceRequest) error {
	index := 0
	find := func(id []byte) error {
		needle := id
		if p.hex {
			needle = []byte(hex.EncodeToString(id))
		}
		found := 0
		for from := 0; ; {
			i := bytes.Index(p.template[from:], needle)
			if i < 0 {
				break
			}
			p.ids = append(p.ids, place{offset: from + i, size: len(id), index: index})
			from += i + len(needle)
			found++
		}
		if found == 0 {
			return fmt.Errorf("the id %x is not in the encoded request", id)
		}
		index++
		return nil
	}
	seen := map[string]bool{}
	for _, span := range request.ResourceSpans[0].ScopeSpans[0].Spans {
		for _, id := range [][]byte{span.TraceId, span.SpanId} {
			if seen[string(id)] {
				continue
			}
			seen[string(id)] = true
			if err := find(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill copies the template into dst with ids that belong to request number n of
// a run.
func (p *payload) fill(dst []byte, run uint64, n uint64) []byte {
	dst = append(dst[:0], p.template...)
	var id [16]byte
	for _, at := range p.ids {
		binary.BigEndian.PutUint64(id[:], mix(run^uint64(at.index)<<40^n))
		binary.BigEndian.PutUint64(id[8:], run^n)
		if p.hex {
			hex.Encode(dst[at.offset:], id[:at.size])
			continue
		}
		copy(dst[at.offset:], id[:at.size])
	}
	return dst
}

// mix is a bijection that spreads neighbouring numbers (splitmix64): ids of 8 bytes
// stay unique.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// oneTrace makes the spans of trace i with marker ids.
func oneTrace(i, content int, now time.Time) []*trace.Span {
	marker := func(kind byte, size int) []byte {
		id := bytes.Repeat([]byte{0xa5}, size)
		id[0], id[1] = 0xf0|kind, 0x5a
		binary.BigEndian.PutUint32(id[2:], uint32(i))
		return id
	}
	traceID, server, search, embed, call := marker(1, 16), marker(2, 8), marker(3, 8), marker(4, 8), marker(5, 8)
	model := []string{"llama-3.1-8b-instant", "llama-3.1-8b-instant", "llama-3.3-70b-versatile", "glm-4.7"}[i%4]
	span := func(id, parent []byte, name string, kind trace.Span_SpanKind, from, to time.Duration, attributes ...*common.KeyValue) *trace.Span {
		return &trace.Span{
			TraceId: traceID, SpanId: id, ParentSpanId: parent, Name: name, Kind: kind, Attributes: attributes,
			StartTimeUnixNano: uint64(now.Add(from).UnixNano()), EndTimeUnixNano: uint64(now.Add(to).UnixNano()),
			Status: &trace.Status{Code: trace.Status_STATUS_CODE_OK},
		}
	}
	ms := time.Millisecond
	generation := []*common.KeyValue{
		e2etest.Text("gen_ai.operation.name", "chat"), e2etest.Text("gen_ai.provider.name", "groq"),
		e2etest.Text("gen_ai.request.model", model), e2etest.Text("gen_ai.response.model", model),
		e2etest.Text("gen_ai.response.id", "chatcmpl-8a7f6e5d"), e2etest.Double("gen_ai.request.temperature", 0.2),
		e2etest.Int("gen_ai.request.max_tokens", 1024), e2etest.Int("gen_ai.usage.input_tokens", int64(180+i%40)),
		e2etest.Int("gen_ai.usage.output_tokens", int64(90+i%30)), e2etest.Text("gen_ai.output.type", "text"),
		e2etest.Text("server.address", "api.groq.com"), e2etest.Int("server.port", 443),
	}
	if content > 0 {
		generation = append(generation, e2etest.Text("gen_ai.input.messages", prose(content, i)), e2etest.Text("gen_ai.output.messages", prose(content, ^i)))
	}
	return []*trace.Span{
		span(server, nil, "POST /chat", trace.Span_SPAN_KIND_SERVER, 0, 850*ms,
			e2etest.Text("http.request.method", "POST"), e2etest.Text("http.route", "/chat"), e2etest.Int("http.response.status_code", 200),
			e2etest.Text("url.path", "/chat"), e2etest.Text("url.scheme", "http"), e2etest.Text("network.protocol.version", "1.1"),
			e2etest.Text("server.address", "treq-backend"), e2etest.Text("user_agent.original", "Mozilla/5.0"), e2etest.Text("client.address", "10.0.0.7")),
		span(search, server, "retrieval manuais", trace.Span_SPAN_KIND_CLIENT, 10*ms, 130*ms,
			e2etest.Text("gen_ai.operation.name", "retrieval"), e2etest.Text("gen_ai.data_source.id", "manuais"),
			e2etest.Text("gen_ai.retrieval.documents", `[{"id":"doc-1","score":0.74},{"id":"doc-2","score":0.63}]`),
			e2etest.Text("db.system.name", "supabase"), e2etest.Text("db.operation.name", "query"), e2etest.Text("db.collection.name", "documentos"),
			e2etest.Int("gen_ai.request.top_k", 5)),
		span(embed, search, "embeddings bge-m3", trace.Span_SPAN_KIND_CLIENT, 12*ms, 40*ms,
			e2etest.Text("gen_ai.operation.name", "embeddings"), e2etest.Text("gen_ai.provider.name", "huggingface"),
			e2etest.Text("gen_ai.request.model", "bge-m3"), e2etest.Int("gen_ai.usage.input_tokens", 14),
			e2etest.Int("gen_ai.embeddings.dimension.count", 1024), e2etest.Text("server.address", "embeddings")),
		span(call, server, "chat "+model, trace.Span_SPAN_KIND_CLIENT, 150*ms, 800*ms, generation...),
	}
}

// prose makes text of n bytes that compresses as prose does, three to four times;
// each seed's is another.
func prose(n, seed int) string {
	words := strings.Fields("a válvula de alívio abre quando pressão linha passa limite definido no manual técnico da bomba verifique torque parafusos antes partida registre leitura sensor temperatura óleo filtro troque conforme tabela manutenção preventiva")
	var b strings.Builder
	for x := uint64(0); b.Len() < n; x++ {
		r := mix(uint64(seed)<<32 ^ x)
		b.WriteString(words[r%uint64(len(words))])
		b.WriteByte(' ')
		if r>>32%2 == 0 {
			b.WriteString(strconv.FormatUint(r>>40, 36))
			b.WriteByte(' ')
		}
	}
	// Cut between runes: the text of an attribute is UTF-8.
	return strings.ToValidUTF8(b.String()[:n], "")
}
