package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/journal"
)

func TestPostsBecomeLogRecords(t *testing.T) {
	tests := []struct {
		name, target, body, contentType string
		want                            []string
	}{
		{
			name:   "the guide's curl line",
			target: "/monitoring/chat/metrics?success=true&response_time_ms=500&rag_used=true&rag_found=true&llm_tokens=100",
			want:   []string{"treq.chat service.name=default treq.success=true treq.duration_ms=500 treq.rag.used=true treq.rag.found=true treq.llm.tokens=100"},
		},
		{
			name:   "what is left out of a chat is false and 0",
			target: "/monitoring/chat/metrics?success=no&response_time_ms=12.5",
			want:   []string{"treq.chat service.name=default treq.success=false treq.duration_ms=12.5 treq.rag.used=false treq.rag.found=false treq.llm.tokens=0"},
		},
		{
			name:        "one call with extras is three events",
			target:      "/monitoring/chat/metrics",
			contentType: "application/json",
			body: `{"success":true,"response_time_ms":850.5,"rag_used":true,"rag_found":true,"model":"glm-4.7","provider":"zhipu",
				"llm_latency_ms":650.2,"input_tokens":300,"output_tokens":20,"similarity_score":0.685,"search_time_ms":120.3,
				"num_results":5,"cache_hit":true,"run_id":"r1","conversation_id":"c1","user_id":"u1","service":"backend"}`,
			want: []string{
				"treq.chat service.name=backend treq.success=true treq.duration_ms=850.5 treq.rag.used=true treq.rag.found=true treq.llm.tokens=320 treq.run.id=r1 gen_ai.conversation.id=c1 user.id=u1",
				"treq.retrieval service.name=backend treq.duration_ms=120.3 treq.retrieval.documents=5 treq.retrieval.similarity=0.685 treq.cache.hit=true treq.run.id=r1",
				"treq.llm_call service.name=backend gen_ai.request.model=glm-4.7 gen_ai.provider.name=zhipu treq.duration_ms=650.2 gen_ai.usage.input_tokens=300 gen_ai.usage.output_tokens=20 treq.run.id=r1",
			},
		},
		{
			name:   "a chat with a similarity and no search time is no search",
			target: "/monitoring/chat/metrics?success=true&response_time_ms=1&similarity_score=0.5&llm_latency_ms=3",
			want:   []string{"treq.chat service.name=default treq.success=true treq.duration_ms=1 treq.rag.used=false treq.rag.found=false treq.llm.tokens=0"},
		},
		{
			name:   "a search",
			target: "/monitoring/rag/metrics?search_time_ms=120.3&similarity_score=0.685&cache_hit=false&data_source=docs",
			want:   []string{"treq.retrieval service.name=default treq.duration_ms=120.3 treq.retrieval.similarity=0.685 treq.cache.hit=false gen_ai.data_source.id=docs"},
		},
		{
			name:   "a search that found nothing has no similarity",
			target: "/monitoring/rag/metrics?search_time_ms=1&similarity_score=0.9&num_results=0",
			want:   []string{"treq.retrieval service.name=default treq.duration_ms=1 treq.retrieval.documents=0"},
		},
		{
			name: "a model call", target: "/monitoring/llm/metrics", contentType: "application/x-www-form-urlencoded",
			body: "model=llama-3.1-8b-instant&tokens=310&latency_ms=650.2&time_to_first_token_ms=90",
			want: []string{"treq.llm_call service.name=default gen_ai.request.model=llama-3.1-8b-instant treq.duration_ms=650.2 treq.llm.tokens=310 treq.time_to_first_token_ms=90"},
		},
		{
			name:   "the body comes after the query",
			target: "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", contentType: "application/json", body: `{"model":"b"}`,
			want: []string{"treq.llm_call service.name=default gen_ai.request.model=b treq.duration_ms=1 treq.llm.tokens=1"},
		},
		{
			name:   "a body of another type is not looked at",
			target: "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", contentType: "text/plain", body: `{"model":"b"}`,
			want: []string{"treq.llm_call service.name=default gen_ai.request.model=a treq.duration_ms=1 treq.llm.tokens=1"},
		},
		{
			name:   "axios posts null beside its params",
			target: "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", contentType: "application/json", body: `null`,
			want: []string{"treq.llm_call service.name=default gen_ai.request.model=a treq.duration_ms=1 treq.llm.tokens=1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.do("POST", tt.target, tt.body, "Content-Type: "+tt.contentType)
			if w.Code != 200 || w.Body.String() != `{"status":"recorded"}` {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if diff := cmp.Diff(tt.want, f.log.last(t)); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			e := f.log.entries[0]
			if e.Kind != journal.Posts || e.Door != "api" || int(e.Items) != len(tt.want) || e.Hash != [16]byte{} || e.Encoding != journal.Identity {
				t.Errorf("entry %+v", e)
			}
			if diff := cmp.Diff([]journal.Position{1}, f.meter.waited); diff != "" {
				t.Errorf("answered before the meter counted it:\n%s", diff)
			}
		})
	}
}

func TestIdempotencyKey(t *testing.T) {
	f := newFixture(t)
	const chat = "/monitoring/chat/metrics?success=true&response_time_ms=500"
	post := func(target string, headers ...string) (int, string) {
		w := f.do("POST", target, "", headers...)
		return w.Code, w.Body.String()
	}
	steps := []struct {
		name, target, key string
		status, entries   int
	}{
		{"first", chat, "k1", 200, 1},
		{"again", chat, "k1", 200, 1},
		{"spelled otherwise", "/monitoring/chat/metrics?success=YES&response_time_ms=5e2", "k1", 200, 1},
		{"other parameters", "/monitoring/chat/metrics?success=true&response_time_ms=501", "k1", 422, 1},
		{"more parameters", chat + "&rag_used=false", "k1", 422, 1},
		{"another key", chat, "k2", 200, 2},
		{"the same key at another path", "/monitoring/rag/metrics?search_time_ms=1&similarity_score=1", "k1", 200, 3},
		{"no key", chat, "", 200, 4},
		{"no key again", chat, "", 200, 5},
		{"a key that is too long", chat, strings.Repeat("k", 256), 422, 5},
	}
	for _, s := range steps {
		status, body := post(s.target, "Idempotency-Key: "+s.key)
		if status != s.status || len(f.log.entries) != s.entries {
			t.Errorf("%s: status %d (want %d), %d entries (want %d): %s", s.name, status, s.status, len(f.log.entries), s.entries, body)
		}
	}
}

func TestIdempotencyKeysOfTwoCallersDiffer(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Authorize = func(h http.Header) (uint64, error) {
			return strconv.ParseUint(h.Get("X-Api-Key"), 10, 64)
		}
	})
	for _, key := range []string{"1", "2", "1"} {
		f.do("POST", "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", "", "X-Api-Key: "+key, "Idempotency-Key: same")
	}
	if len(f.log.entries) != 2 {
		t.Errorf("%d entries of two callers", len(f.log.entries))
	}
}

// A post that is durable must not be sent again, however long the meter takes.
func TestPostIsAcceptedWhileTheMeterLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.meter.wait = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		w := f.do("POST", "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", "")
		if w.Code != 202 || w.Body.String() != `{"status":"recorded"}` || len(f.log.entries) != 1 {
			t.Errorf("%d %s, %d entries", w.Code, w.Body, len(f.log.entries))
		}
	})
}

func TestPostDuringReplay(t *testing.T) {
	f := newFixture(t)
	f.meter.ready = errReplay
	w := f.do("POST", "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1", "")
	if w.Code != 202 || len(f.log.entries) != 1 || len(f.meter.waited) != 0 {
		t.Errorf("%d %s, %d entries, waited %v", w.Code, w.Body, len(f.log.entries), f.meter.waited)
	}
}

func TestPostsRefused(t *testing.T) {
	tests := []struct {
		name, target, body, contentType, encoding string
		change                                    func(*fixture)
		status                                    int
		detail, retryAfter                        string
	}{
		{
			name: "no room", target: "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1",
			change: func(f *fixture) { f.log.err = unavailable() }, status: 503, detail: "no room on the disk", retryAfter: "2",
		},
		{
			name: "a fault of ours is not shown", target: "/monitoring/llm/metrics?model=a&tokens=1&latency_ms=1",
			change: func(f *fixture) { f.log.err = errReplay }, status: 500, detail: "internal error",
		},
		{
			name: "too large", target: "/monitoring/llm/metrics", contentType: "application/json",
			body: `{"model":"` + strings.Repeat("m", maxPost) + `"}`, status: 413, detail: "a post may have 1048576 bytes",
		},
		{
			name: "too large a form", target: "/monitoring/llm/metrics", contentType: "application/x-www-form-urlencoded",
			body: "model=" + strings.Repeat("m", maxPost), status: 413, detail: "a post may have 1048576 bytes",
		},
		{
			name: "no UTF-8", target: "/monitoring/llm/metrics", contentType: "application/json",
			body: "{\"model\":\"\xff\"}", status: 400, detail: "the body is not UTF-8",
		},
		{
			name: "compressed", target: "/monitoring/llm/metrics", contentType: "application/json", encoding: "gzip",
			body: "\x1f\x8b", status: 415, detail: "a post is taken as it is; send it without Content-Encoding",
		},
		{
			name: "a broken form", target: "/monitoring/llm/metrics", contentType: "multipart/form-data; boundary=X",
			body: "--X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm", status: 400, detail: "the body could not be read",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			if tt.change != nil {
				tt.change(f)
			}
			w := f.do("POST", tt.target, tt.body, "Content-Type: "+tt.contentType, "Content-Encoding: "+tt.encoding)
			checkProblem(t, w, tt.status, tt.detail)
			if got := w.Header().Get("Retry-After"); got != tt.retryAfter {
				t.Errorf("Retry-After %q, want %q", got, tt.retryAfter)
			}
		})
	}
}

// Every parameter that parses is within its range, and every refusal names one.
func FuzzPost(f *testing.F) {
	for _, a := range recordedAnswers(f) {
		f.Add(a.Path, a.Query, a.ContentType, a.Body)
	}
	f.Fuzz(func(t *testing.T, path, query, contentType, body string) {
		posts := map[string]post{"/monitoring/chat/metrics": chatPost, "/monitoring/rag/metrics": ragPost, "/monitoring/llm/metrics": llmPost}
		p, ok := posts[path]
		if !ok {
			return
		}
		r := newRequest(path, query, contentType, body)
		in, err := read(discard(), r)
		if err != nil {
			return
		}
		fs, err := parse(in, p.parameters)
		if err != nil {
			checkRefusal(t, err)
			return
		}
		for _, q := range p.parameters {
			if n, ok := fs.numbers[q.name]; ok && !(n >= 0 && n <= q.max) {
				t.Errorf("%s = %v", q.name, n)
			}
			if n, ok := fs.counts[q.name]; ok && (n < 0 || n > maxCount) {
				t.Errorf("%s = %v", q.name, n)
			}
		}
		b := fs.encode(p.records(fs), newFixture(t).now)
		if n := countRecords(t, b.bytes); n != b.items {
			t.Errorf("%d records, %d told", n, b.items)
		}
		if string(fs.canonical(p.parameters)) == "" {
			t.Error("a post without any parameter was taken")
		}
	})
}
