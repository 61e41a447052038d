//go:build unix

package redact

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"treq/telemetry/otlp"
)

// cpu is the processor time that the process has used, in nanoseconds: on a machine
// that others use too, time on the clock says little.
func cpu() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// prose is clean text of n bytes.
func prose(n int) string {
	const words = "a válvula de alívio abre quando a pressão da linha passa do limite definido no manual técnico da bomba; verifique o torque dos parafusos antes da partida, registre a leitura do sensor 12 e a temperatura do óleo (85 °C) e troque o filtro conforme a tabela 4.2 de manutenção preventiva.\\n\\n"
	return strings.Repeat(words, n/len(words)+1)[:n]
}

func spansOf(count int, content string) []byte {
	spans := make([]otlp.SpanData, count)
	for i := range spans {
		spans[i] = otlp.SpanData{
			TraceID: [16]byte{1, byte(i), 0xf3}, SpanID: [8]byte{2, byte(i), 0x9c}, Name: "chat llama-3.1-8b-instant", Start: 1767614400123456789, End: 1767614401123456789,
			Attributes: []otlp.KV{
				otlp.Str("gen_ai.operation.name", "chat"), otlp.Str("gen_ai.provider.name", "groq"),
				otlp.Str("gen_ai.request.model", "llama-3.1-8b-instant"), otlp.Str("gen_ai.response.model", "llama-3.1-8b-instant"),
				otlp.Str("gen_ai.response.id", "chatcmpl-8a7f6e5d"), otlp.F64("gen_ai.request.temperature", 0.2),
				otlp.I64("gen_ai.usage.input_tokens", int64(180+i%40)), otlp.I64("gen_ai.usage.output_tokens", int64(90+i%30)),
				otlp.Str("gen_ai.input.messages", content[:len(content)/2]), otlp.Str("gen_ai.output.messages", content[len(content)/2:]),
			},
		}
	}
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{Attributes: []otlp.KV{otlp.Str("service.name", "backend")}, Scopes: []otlp.ScopeData{{Name: "t", Spans: spans}}})
}

// What a span of 1.5 KB of content costs: clean, with a date and an id as content
// has them, with something to redact, and with content taken away.
func BenchmarkTraces(b *testing.B) {
	const spans = 128
	with := func(s string) string { return prose(700) + s + prose(800-len(s)) }
	for _, c := range []struct {
		name    string
		rules   Rules
		content string
	}{
		{"clean", Brazil(), prose(1500)},
		{"codes", Brazil(), codes(1500)},
		{"dates", Brazil(), with(" em 2026-01-05T12:00:00 01890a5d-ac96-774b-bcce-b302099a8057 ")},
		{"found", Brazil(), with(" cpf 123.456.789-09, ana@exemplo.com.br ")},
		{"none", Rules{Content: NoContent}, `[{"role":"user","content":"` + prose(700) + `"}]` + prose(760)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := made(b, c.rules)
			body := spansOf(spans, c.content)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			began := cpu()
			for b.Loop() {
				out, err := r.Traces(body)
				if err != nil {
					b.Fatal(err)
				}
				if same := &out[0] == &body[0]; same != (c.name == "clean" || c.name == "codes" || c.name == "dates") {
					b.Fatal("rewritten, or not: ", same)
				}
			}
			b.ReportMetric(float64(cpu()-began)/float64(b.N)/spans, "cpu-ns/span")
		})
	}
}

// codes is text of n bytes in which every other word is one of letters and digits.
func codes(n int) string {
	words := strings.Fields("a válvula de alívio abre quando pressão linha passa limite definido no manual técnico da bomba")
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))] + " " + strconv.FormatUint(uint64(r.IntN(1<<24)), 36) + " ")
	}
	return b.String()[:n]
}

// What looking for suspicious places costs.
func BenchmarkSuspect(b *testing.B) {
	for name, text := range map[string]string{"clean": prose(64 << 10), "codes": codes(64 << 10)} {
		b.Run(name, func(b *testing.B) {
			body := []byte(text)
			b.SetBytes(int64(len(body)))
			n := 0
			began := cpu()
			for b.Loop() {
				n = 0
				for i := suspect(body, 0, len(body)); i < len(body); i = suspect(body, i+8, len(body)) {
					n++
				}
			}
			b.ReportMetric(float64(n), "stops")
			b.ReportMetric(float64(cpu()-began)/float64(b.N)/float64(len(body))*1500, "cpu-ns/1.5KB")
		})
	}
}
