package understand

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"treq/telemetry/otlp"
)

// epoch is time 0 of the notation.
var epoch = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

// script is a trace in the notation of testdata, read into requests.
//
// A line is a directive or a span; indentation puts a span below the one above it.
//
//	config preset=treq            configuration; see configure
//	at 7s                         what follows was admitted then
//	door 1                        … through this class of doors
//	service NAME, scope NAME, trace N   what follows belongs to
//	post NAME key=value …         a log record
//	KIND name START-END …         a span; KIND is an OpenTelemetry span kind or an
//	                              OpenInference one, times are milliseconds
//
// Behind the times stand attributes as key=value (value: number, true, false, 'text',
// word), !ok, !error, !error=TYPE, #N for the span's id, ^N for its parent's, and
// +NAME{key=value,…} for a span event.
type script struct {
	config Config
	steps  []step
}

type step struct {
	at       time.Duration
	door     uint8
	resource string
	scope    string
	span     *otlp.SpanData
	post     *otlp.LogData
}

var word = regexp.MustCompile(`(?:[^\s'{]|'[^']*'|\{[^}]*\})+`)

func parseScript(t testing.TB, text string) *script {
	t.Helper()
	s := &script{config: DefaultConfig()}
	now := step{resource: "app", scope: "test"}
	trace := byte(1)
	var above []*otlp.SpanData
	var indents []int
	for n, line := range strings.Split(text, "\n") {
		words := word.FindAllString(line, -1)
		if len(words) == 0 || strings.HasPrefix(words[0], "//") {
			continue
		}
		arg := ""
		if len(words) > 1 {
			arg = strings.Trim(words[1], "'")
		}
		switch words[0] {
		case "config":
			configure(t, &s.config, words[1:])
		case "at":
			d, err := time.ParseDuration(arg)
			if err != nil {
				t.Fatal(err)
			}
			now.at = d
		case "door":
			now.door = arg[0] - '0'
		case "service":
			now.resource = arg
		case "scope":
			now.scope = arg
		case "trace":
			i, _ := strconv.Atoi(arg)
			trace = byte(i)
		case "post":
			one := now
			one.post = &otlp.LogData{Time: uint64(epoch.Add(now.at).UnixNano()), EventName: arg}
			for _, w := range words[2:] {
				switch {
				case w[0] == '#':
					one.post.SpanID = spanID(w[1:])
				default:
					one.post.Attributes = append(one.post.Attributes, attribute(w))
				}
			}
			s.steps = append(s.steps, one)
		default:
			indent := len(line) - len(strings.TrimLeft(line, " "))
			for len(indents) > 0 && indents[len(indents)-1] >= indent {
				indents, above = indents[:len(indents)-1], above[:len(above)-1]
			}
			sp := parseSpan(t, n+1, words)
			sp.TraceID[0] = trace
			if sp.SpanID == [8]byte{} {
				binary.BigEndian.PutUint64(sp.SpanID[:], uint64(trace)<<16|uint64(n+1))
			}
			if len(above) > 0 && sp.ParentID == [8]byte{} {
				sp.ParentID = above[len(above)-1].SpanID
			}
			indents, above = append(indents, indent), append(above, sp)
			one := now
			one.span = sp
			s.steps = append(s.steps, one)
		}
	}
	return s
}

func configure(t testing.TB, c *Config, words []string) {
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		value = strings.Trim(value, "'")
		switch key {
		case "preset":
			c.Preset = value
		case "entry", "exclude":
			var r Rule
			for part := range strings.SplitSeq(value, ",") {
				k, v, _ := strings.Cut(part, ":")
				switch k {
				case "service":
					r.Service = v
				case "name":
					r.Name = v
				case "route":
					r.Route = v
				}
			}
			if key == "entry" {
				c.Entries = append(c.Entries, r)
			} else {
				c.Exclude = append(c.Exclude, r)
			}
		case "bare":
			c.BareLLM = value == "true"
		case "from":
			c.ChatsFrom = map[string]ChatsFrom{"both": FromBoth, "traces": FromTraces, "api": FromAPI}[value]
		case "open":
			c.MaxOpenSpans, _ = strconv.Atoi(value)
		case "content":
			c.MaxContent, _ = strconv.Atoi(value)
		default:
			t.Fatalf("no configuration is named %s", key)
		}
	}
}

func parseSpan(t testing.TB, n int, words []string) *otlp.SpanData {
	if len(words) < 3 {
		t.Fatalf("line %d: neither a directive nor a span: %q", n, words)
	}
	sp := &otlp.SpanData{Name: strings.Trim(words[1], "'"), Kind: otlp.KindInternal}
	switch words[0] {
	case "internal":
	case "server":
		sp.Kind = otlp.KindServer
	case "client":
		sp.Kind = otlp.KindClient
	case "producer":
		sp.Kind = otlp.KindProducer
	case "consumer":
		sp.Kind = otlp.KindConsumer
	default:
		sp.Attributes = append(sp.Attributes, otlp.Str("openinference.span.kind", strings.ToUpper(words[0])))
	}
	start, end, _ := strings.Cut(words[2], "-")
	sp.Start, sp.End = instant(t, start), instant(t, end)
	for _, w := range words[3:] {
		switch w[0] {
		case '!':
			what, errorType, _ := strings.Cut(w[1:], "=")
			sp.Status = map[string]otlp.StatusCode{"ok": otlp.StatusOK, "error": otlp.StatusError}[what]
			if errorType != "" {
				sp.Attributes = append(sp.Attributes, otlp.Str("error.type", errorType))
			}
		case '#':
			sp.SpanID = spanID(w[1:])
		case '^':
			sp.ParentID = spanID(w[1:])
		case '~':
			sp.StatusMessage = strings.Trim(w[1:], "'")
		case '+':
			name, rest, _ := strings.Cut(w[1:], "{")
			e := otlp.EventData{Name: strings.Trim(name, "'"), Time: sp.Start}
			for part := range strings.SplitSeq(strings.TrimSuffix(rest, "}"), ",") {
				switch {
				case strings.HasPrefix(part, "at="):
					e.Time = instant(t, part[3:])
				case part != "":
					e.Attributes = append(e.Attributes, attribute(part))
				}
			}
			sp.Events = append(sp.Events, e)
		default:
			sp.Attributes = append(sp.Attributes, attribute(w))
		}
	}
	return sp
}

func instant(t testing.TB, ms string) uint64 {
	if ms == "never" {
		return 0
	}
	f, err := strconv.ParseFloat(ms, 64)
	if err != nil {
		t.Fatalf("%q is no time in milliseconds", ms)
	}
	return uint64(epoch.UnixNano() + int64(f*1e6))
}

func spanID(text string) (id [8]byte) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%q is no span id", text))
	}
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

func attribute(w string) otlp.KV {
	key, value, _ := strings.Cut(w, "=")
	if strings.HasPrefix(value, "'") {
		return otlp.Str(key, strings.Trim(value, "'"))
	}
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return otlp.I64(key, n)
	}
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return otlp.F64(key, f)
	}
	switch value {
	case "true", "false":
		return otlp.Flag(key, value == "true")
	case "[]":
		return otlp.List(key)
	}
	if strings.HasPrefix(value, "{") {
		// {0.9|0.7|-}: a list of documents with these scores, - without one.
		var list []otlp.KV
		for n, score := range strings.Split(strings.Trim(value, "{}"), "|") {
			doc := []otlp.KV{otlp.Str("id", strconv.Itoa(n))}
			if f, err := strconv.ParseFloat(score, 64); err == nil {
				doc = append(doc, otlp.F64("score", f))
			}
			list = append(list, otlp.Group("", doc...))
		}
		return otlp.List(key, list...)
	}
	return otlp.Str(key, value)
}

// request encodes one step as a request of its own.
func (s *step) request() []byte {
	resource := []otlp.KV{otlp.Str("service.name", s.resource)}
	if s.resource == "none" {
		resource = nil
	}
	if s.post != nil {
		return otlp.AppendLogsRequest(nil, resource, s.scope, *s.post)
	}
	return otlp.AppendTraceRequest(nil, otlp.ResourceData{
		Attributes: resource,
		Scopes:     []otlp.ScopeData{{Name: s.scope, Spans: []otlp.SpanData{*s.span}}},
	})
}

// play tells an engine the steps.
func play(t testing.TB, e *Engine, steps []step) {
	t.Helper()
	for i := range steps {
		s := &steps[i]
		var err error
		if s.post != nil {
			err = e.Logs(epoch.Add(s.at), s.request())
		} else {
			err = e.Traces(epoch.Add(s.at), s.door, s.request())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func newEngine(t testing.TB, c Config) (*Engine, *transcript) {
	t.Helper()
	rec := &transcript{epoch: epoch.UnixNano()}
	e, err := New(c, rec)
	if err != nil {
		t.Fatal(err)
	}
	return e, rec
}
