package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"treq/telemetry/judgement"
)

// verdict is what became of an attempt.
type verdict uint8

const (
	// taken: the sink has it.
	taken verdict = iota
	// again: the same later; the sink does not get on at all.
	again
	// paused: the same much later; only a person can mend it.
	paused
	// unknownRun: this one later; its run is not known yet.
	unknownRun
	// refused: it will never be taken.
	refused
)

// outcome is a verdict with what the sink said.
type outcome struct {
	verdict verdict
	status  int           // HTTP, 0 without an answer
	after   time.Duration // what the sink asked for
	reason  string
}

// words tell one sink.
type words interface {
	// takes tells whether there is a way to tell the sink of such a judgement.
	takes(j *judgement.Judgement) bool
	// tell makes one attempt. told says that the sink has one of this id.
	tell(ctx context.Context, j *judgement.Judgement, told bool) outcome
	// withdraw makes one attempt to take back what the sink was told of a judgement.
	// A sink that has none of this id has nothing to take back.
	withdraw(ctx context.Context, j *judgement.Judgement) outcome
}

// gone is the outcome of a request that takes something back.
func gone(out outcome) outcome {
	if out.status == http.StatusNotFound {
		return outcome{verdict: taken, status: out.status}
	}
	return out
}

// client speaks to one sink. Safe for concurrent use.
type client struct {
	sink     Sink
	header   http.Header
	secrets  []string
	resolver Resolver
	http     *http.Client
}

func newClient(s Sink, o *Options) *client {
	c := &client{sink: s, header: http.Header{}, resolver: o.Resolver, http: &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if c.http.Transport == nil {
		c.http.Transport = newTransport(o)
	}
	for name, value := range s.Headers {
		c.header.Set(name, value.Reveal())
		for _, secret := range append(strings.Fields(value.Reveal()), value.Reveal()) {
			if len(secret) >= 4 && !strings.EqualFold(secret, "bearer") && !strings.EqualFold(secret, "basic") {
				c.secrets = append(c.secrets, secret)
			}
		}
	}
	slices.SortFunc(c.secrets, func(a, b string) int { return len(b) - len(a) })
	if s.Tenant != "" && s.Words == LangSmith && c.header.Get("x-tenant-id") == "" {
		c.header.Set("x-tenant-id", s.Tenant)
	}
	c.header.Set("Content-Type", "application/json")
	c.header.Set("Accept", "application/json")
	c.header.Set("User-Agent", "treq-telemetry/"+o.Version)
	if o.Instance != "" {
		c.header.Set("Treq-Hop", o.Instance)
	}
	return c
}

func (c *client) words() words {
	switch c.sink.Words {
	case Langfuse:
		return langfuse{c}
	case Phoenix:
		return phoenix{c}
	}
	return langSmith{c}
}

func (c *client) resolve(ctx context.Context, id string) (Run, bool) {
	if c.resolver == nil || id == "" {
		return Run{}, false
	}
	return c.resolver.Resolve(ctx, id)
}

// most bounds what is read of an answer.
const most = 256 << 10

// do sends one request. The content is the answer's, and the outcome says what the
// status means for most sinks; 404 and 409 are for the words to judge.
func (c *client) do(ctx context.Context, method, path string, body any) (content []byte, out outcome) {
	ctx, cancel := context.WithTimeout(ctx, c.sink.Timeout)
	defer cancel()
	var payload io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, outcome{verdict: refused, reason: "it cannot be encoded: " + err.Error()}
		}
		payload = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.sink.Base+path, payload)
	if err != nil {
		return nil, outcome{verdict: paused, reason: c.scrub(err.Error())}
	}
	request.Header = c.header.Clone()
	if body == nil {
		request.Header.Del("Content-Type")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, outcome{verdict: again, reason: c.scrub(err.Error())}
	}
	defer answer.Body.Close()
	content, err = io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil && answer.StatusCode > 299 {
		content = nil
	}
	out = outcome{status: answer.StatusCode, verdict: judge(answer.StatusCode)}
	if out.verdict != taken {
		out.reason = c.scrub("HTTP " + strconv.Itoa(answer.StatusCode) + " " + http.StatusText(answer.StatusCode) + ": " + message(content))
		out.after = retryAfter(answer.Header.Get("Retry-After"), time.Now())
	}
	return content, out
}

// judge gives the verdict for a status.
func judge(status int) verdict {
	switch {
	case status >= 200 && status <= 299:
		return taken
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return again
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusProxyAuthRequired,
		status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status >= 300 && status <= 399:
		return paused
	}
	return refused
}

// retryAfter reads the header in both its forms; 0 if there is none that parses.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(max(0, min(seconds, int64(maxRetryAfter/time.Second)))) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return max(0, min(at.Sub(now), maxRetryAfter))
}

// message gives the message of a JSON error in the usual spellings, else the text.
func message(content []byte) string {
	var document map[string]any
	if json.Unmarshal(content, &document) == nil {
		for _, key := range []string{"message", "detail", "error"} {
			if text, ok := document[key].(string); ok && text != "" {
				return text
			}
		}
	}
	return string(content)
}

// maxReason bounds what of an error is kept in words, in bytes.
const maxReason = 512

// scrub gives printable text of at most maxReason bytes without secrets: a backend
// may repeat a key that it refuses.
func (c *client) scrub(text string) string {
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "[REDACTED]")
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return strings.TrimSuffix(strings.TrimSpace(text), ":")
}
