package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"treq/telemetry"
)

// secret is a text that stands in the settings or in a file.
type secret struct {
	text telemetry.Secret
	file string
}

// reveal reads the file each time, so that a rotated secret needs no restart. The
// error never shows the secret.
func (s secret) reveal() (string, error) {
	if s.file == "" {
		return s.text.Reveal(), nil
	}
	content, err := os.ReadFile(s.file)
	if err != nil {
		return "", misconfigured(telemetry.Errorf(telemetry.Unprocessable, "a file with a secret cannot be read: %s", s.file))
	}
	return strings.TrimSpace(string(content)), nil
}

// poster sends requests to one receiver over HTTP.
type poster struct {
	client  *http.Client
	url     secret
	version string
}

// call is one request. path is added to the receiver's URL; secrets are kept out
// of every error.
type call struct {
	path    string
	header  http.Header
	body    []byte
	secrets []string
	// judge looks at an answer that HTTP calls a success, or at one with a status
	// that means something else here; nil believes the status.
	judge func(status int, answer []byte) *refusal
}

// post makes one attempt and gives the answer in words.
func (p poster) post(ctx context.Context, c call) (string, error) {
	target, err := p.url.reveal()
	if err != nil {
		return "", err
	}
	u, err := parseTarget(target + c.path)
	if err != nil {
		return "", misconfigured(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(c.body))
	if err != nil {
		return "", misconfigured(telemetry.Errorf(telemetry.Unprocessable, "the URL is none"))
	}
	if c.header != nil {
		request.Header = c.header
	}
	if request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "treq-telemetry/"+p.version)
	secrets := append(slices.Clone(c.secrets), target, target+c.path, u.Path, u.RawQuery)
	answer, err := p.client.Do(request)
	if err != nil {
		return "", unreachable(ctx, err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil && ctx.Err() != nil {
		return "", unreachable(ctx, err)
	}
	words := describe(answer.StatusCode, string(content), secrets)
	var r *refusal
	if c.judge != nil {
		r = c.judge(answer.StatusCode, content)
	}
	if r == nil {
		r = judge(answer.StatusCode)
	}
	if r == nil {
		return words, nil
	}
	r.retryAfter = max(r.retryAfter, retryAfter(answer.Header.Get("Retry-After"), time.Now()))
	r.reason = cmp.Or(r.reason, strings.TrimSpace(strconv.Itoa(answer.StatusCode)+" "+http.StatusText(answer.StatusCode)))
	r.detail = words
	return "", r
}

// judge says what a status means, nil for a success. A redirect is none: what is
// sent holds secrets, and was meant for the address in the settings.
func judge(status int) *refusal {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return &refusal{reason: fmt.Sprintf("%d: redirects are not followed; write the final URL into the settings", status), wrong: true}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return &refusal{}
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return &refusal{content: true}
	case status >= 400 && status < 500:
		return &refusal{wrong: true}
	}
	return &refusal{}
}

// unreachable names what went wrong on the way, without the URL that Go's errors
// repeat.
func unreachable(ctx context.Context, err error) error {
	if k := telemetry.KindOf(err); k == telemetry.Forbidden {
		return misconfigured(err)
	}
	if ctx.Err() != nil {
		return failed("no answer in time")
	}
	return failed(wayOf(err))
}

// describe gives a status and what the receiver wrote, in one line without secrets.
func describe(status int, content string, secrets []string) string {
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		if len(s) >= 4 {
			content = strings.ReplaceAll(content, s, "[REDACTED]")
		}
	}
	content = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, content)
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", status, http.StatusText(status), shorten(strings.TrimSpace(content), 300)))
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && seconds > 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// toJSON gives v as JSON, in which "<" and "&" stay as they are.
func toJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
