package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/alerting"
	"treq/telemetry"
)

var moment = time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC)

// examples are messages of every sort.
func examples() map[string]*message {
	base := alerting.Alert{
		Fingerprint: "3f1c9a52e0b7d461", Rule: "error_rate", Severity: alerting.Critical, State: alerting.Firing, StartsAt: moment, Value: 0.1374,
		Labels: map[string]string{"alertname": "error_rate", "severity": "critical", "service": "treq-backend"},
		Texts: map[alerting.Language]alerting.Text{
			alerting.Portuguese: {Summary: "Taxa de erro acima de 10%", Description: "13,7 % dos chats falharam nos últimos 5 minutos."},
			alerting.English:    {Summary: "Error rate above 10%", Description: "13.7 % of chats failed in the last 5 minutes."},
		},
		GeneratorURL: "/prometheus/graph?g0.expr=x&g0.tab=1",
	}
	over := base
	over.State, over.EndsAt, over.Severity = alerting.Resolved, moment.Add(83*time.Minute+5*time.Second), alerting.Warning
	over.Rule, over.Labels = "llm_latency", map[string]string{"alertname": "llm_latency", "model": "llama-3.1-8b-instant"}
	over.Texts = map[alerting.Language]alerting.Text{
		alerting.Portuguese: {Summary: "Latência LLM acima de 2s"}, alerting.English: {Summary: "LLM latency above 2 s"},
	}
	hostile := base
	hostile.Severity = alerting.Warning
	hostile.Labels = map[string]string{
		"alertname": "error_rate", "model": "<!channel> @everyone *b* [x](http://evil.example) <script>alert(1)</script>\r\nBcc: a@b.example `c` &amp;",
	}
	make := func(ns ...notice) *message {
		return &message{receiver: "team", group: "rule=error_rate\x00", by: []string{"rule"}, notices: ns, now: moment.Add(2 * time.Hour), key: "0123456789abcdef0123456789abcdef"}
	}
	sample := newSample("team", moment)
	return map[string]*message{
		"firing": make(notice{Alert: base}), "resolved": make(notice{Alert: over}), "late": make(notice{Alert: over, late: true}),
		"several": make(notice{Alert: base}, notice{Alert: over}, notice{Alert: hostile, again: true}), "hostile": make(notice{Alert: hostile}), "sample": sample,
	}
}

// kinds are receivers of all kinds that speak HTTP.
func kinds() map[Kind]Receiver {
	out := map[Kind]Receiver{
		Telegram: {Token: telemetry.NewSecret("123:token"), Chat: "-100"},
		Webhook:  {Secret: telemetry.NewSecret("hmac"), Token: telemetry.NewSecret("bearer"), Headers: map[string]telemetry.Secret{"X-Key": telemetry.NewSecret("key")}},
	}
	for _, k := range []Kind{Slack, Discord, Teams, Telegram, Webhook, Alertmanager} {
		r := out[k]
		r.Name, r.Kind, r.URL = "team", k, telemetry.NewSecret("https://"+string(k)+".example/path")
		out[k] = r
	}
	return out
}

// What each kind of receiver is sent, as files that a person can read.
func TestMessages(t *testing.T) {
	for kind, config := range kinds() {
		for _, language := range []alerting.Language{alerting.Portuguese, alerting.English} {
			t.Run(fmt.Sprint(kind, " in ", language), func(t *testing.T) {
				var b bytes.Buffer
				all := examples()
				for _, name := range slices.Sorted(maps.Keys(all)) {
					fmt.Fprintf(&b, "== %s\n", name)
					body := sendTo(t, config, language, all[name]).body
					if err := json.Indent(&b, body, "", "  "); err != nil {
						t.Fatalf("%v in %s", err, body)
					}
					b.WriteString("\n")
				}
				golden(t, filepath.Join("testdata", fmt.Sprintf("%s.%s.txt", kind, language)), b.Bytes())
			})
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// sendTo sends a message to a receiver that takes it, and gives the request.
func sendTo(t *testing.T, config Receiver, language alerting.Language, m *message) attempt {
	t.Helper()
	n := newNetwork()
	host := string(config.Kind) + ".example"
	n.misbehave(host, func(attempt) fault { return fault{body: `{"ok":true}`} })
	c := settings(config)
	c.Language, c.ExternalURL = language, "https://telemetry.example.com/"
	r, err := newReceiver(c, config, n, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := r.sender.send(t.Context(), m); err != nil || !strings.HasPrefix(answer, "200 OK") {
		t.Fatalf("answered %q, %v", answer, err)
	}
	return n.seen(host)[0]
}

// Nothing that comes in telemetry calls people, makes links or breaks out.
func TestHostileLabels(t *testing.T) {
	m := examples()["hostile"]
	for kind, forbidden := range map[Kind][]string{
		Slack: {"<!channel>", "<script>"}, Discord: {` @everyone`, "[x](http"}, Teams: {"[x](http", " *b*"}, Telegram: {"<script>"},
	} {
		body := sendTo(t, kinds()[kind], alerting.English, m).body
		var decoded any
		if err := json.Unmarshal(body, &decoded); err != nil {
			t.Fatal(err)
		}
		for _, text := range textsOf(decoded) {
			for _, f := range forbidden {
				if strings.Contains(text, f) {
					t.Errorf("%s is sent %q in %q", kind, f, text)
				}
			}
		}
	}
	e := newEmail(Receiver{From: "Treq <a@example.com>", To: []string{"b@example.com"}}, englishStyle())
	text := composed(t, e, m)
	if text.Header.Get("Bcc") != "" {
		t.Error("a label became a header")
	}
	for _, part := range parts(t, text) {
		if strings.Contains(part, "<script>") && strings.Contains(part, "<html>") {
			t.Errorf("HTML holds a script: %s", part)
		}
	}
}

func textsOf(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			out = append(out, textsOf(x)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, textsOf(v[k])...)
		}
	}
	return out
}

func englishStyle() style {
	return style{language: alerting.English, zone: time.UTC, link: func(*alerting.Alert) string { return "https://telemetry.example.com/x?a=1&b=2" }}
}

func composed(t *testing.T, e *email, m *message) *mail.Message {
	t.Helper()
	from, err := mail.ParseAddress(e.config.From)
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.compose(m, from)
	if err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return read
}

func parts(t *testing.T, m *mail.Message) (out []string) {
	t.Helper()
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, parameters["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
}

// Mails as a person reads them.
func TestMails(t *testing.T) {
	for _, language := range []alerting.Language{alerting.Portuguese, alerting.English} {
		var b bytes.Buffer
		all := examples()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			s := englishStyle()
			s.language, s.zone = language, time.FixedZone("-03", -3*3600)
			e := newEmail(Receiver{From: "Treq <alerts@example.com>", To: []string{"Ana Conceição <b@example.com>", "c@example.com"}}, s)
			read := composed(t, e, all[name])
			subject, err := new(mime.WordDecoder).DecodeHeader(read.Header.Get("Subject"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "== %s\n", name)
			for _, key := range []string{"From", "To", "Date", "Message-ID", "References", "Auto-Submitted"} {
				fmt.Fprintf(&b, "%s: %s\n", key, read.Header.Get(key))
			}
			fmt.Fprintf(&b, "Subject: %s\n", subject)
			for _, part := range parts(t, read) {
				b.WriteString("\n" + part + "\n")
			}
		}
		golden(t, filepath.Join("testdata", fmt.Sprintf("email.%s.txt", language)), b.Bytes())
	}
}

func TestNumbersAndTimes(t *testing.T) {
	zone, _ := time.LoadLocation("America/Sao_Paulo")
	pt := style{language: alerting.Portuguese, zone: zone}
	en := style{language: alerting.English, zone: zone}
	for _, c := range []struct {
		value  float64
		pt, en string
	}{
		{0, "0", "0"},
		{0.13741, "0,1374", "0.1374"},
		{12.5, "12,5", "12.5"},
		{1999.6, "2.000", "2,000"},
		{4321, "4.321", "4,321"},
		{-1234567, "-1.234.567", "-1,234,567"},
		{0.00001234, "0,000012", "0.000012"},
		{100, "100", "100"},
		{999, "999", "999"},
	} {
		if got := pt.number(c.value); got != c.pt {
			t.Errorf("%v is %q in Portuguese, want %q", c.value, got, c.pt)
		}
		if got := en.number(c.value); got != c.en {
			t.Errorf("%v is %q in English, want %q", c.value, got, c.en)
		}
	}
	if got := pt.time(moment); got != "22/11/2026 22:30 -03" {
		t.Errorf("the time is %q in Portuguese", got)
	}
	if got := en.time(moment); got != "Nov 22, 2026 22:30 -03" {
		t.Errorf("the time is %q in English", got)
	}
	for d, want := range map[time.Duration]string{
		5 * time.Second: "5 s", 65 * time.Second: "1 min 5 s", 2 * time.Hour: "2 h 0 min", 50 * time.Hour: "2 d 2 h", -time.Second: "0 s",
	} {
		if got := pt.span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// A webhook's message can be checked by whoever knows the secret, and carries what
// it needs.
func TestWebhookIsSigned(t *testing.T) {
	a := sendTo(t, kinds()[Webhook], alerting.English, examples()["firing"])
	signature := a.header.Get(SignatureHeader)
	var at int64
	if _, err := fmt.Sscanf(signature, "t=%d,", &at); err != nil {
		t.Fatalf("signature %q: %v", signature, err)
	}
	if want := Sign("hmac", time.Unix(at, 0), a.body); signature != want {
		t.Errorf("signature = %q, want %q", signature, want)
	}
	// By another implementation: printf '%s' '1700000000.{}' | openssl dgst -sha256 -hmac key
	if got := Sign("key", time.Unix(1700000000, 0), []byte("{}")); got != "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae" {
		t.Errorf("signature of a known text = %q", got)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer bearer", "X-Key": "key", "Content-Type": "application/json", "User-Agent": "treq-telemetry/1.0",
		IdempotencyHeader: "0123456789abcdef0123456789abcdef",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// What a service answers in its own way is understood.
func TestAnswersOfServices(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		fault fault
		want  refusal
	}{
		{Telegram, fault{status: 429, body: `{"ok":false,"error_code":429,"parameters":{"retry_after":17}}`}, refusal{retryAfter: 17 * time.Second}},
		{Telegram, fault{status: 400, body: `{"ok":false,"description":"Bad Request: chat not found"}`}, refusal{wrong: true}},
		{Telegram, fault{status: 200, body: `<html>`}, refusal{wrong: true}},
		{Discord, fault{status: 429, body: `{"retry_after": 1.5}`}, refusal{retryAfter: 1500 * time.Millisecond}},
		{Discord, fault{status: 429, header: http.Header{"Retry-After": {"3"}}, body: `{"retry_after": 1.5}`}, refusal{retryAfter: 3 * time.Second}},
		{Slack, fault{status: 429, header: http.Header{"Retry-After": {"30"}}}, refusal{retryAfter: 30 * time.Second}},
		{Slack, fault{status: 400, body: "invalid_blocks"}, refusal{content: true}},
		{Slack, fault{status: 404, body: "no_service"}, refusal{wrong: true}},
		{Teams, fault{status: 500}, refusal{}},
	} {
		n := newNetwork()
		n.misbehave(string(c.kind)+".example", func(attempt) fault { return c.fault })
		r, err := newReceiver(settings(kinds()[c.kind]), kinds()[c.kind], n, "1.0")
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.sender.send(context.Background(), examples()["firing"])
		got, ok := err.(*refusal)
		if !ok {
			t.Fatalf("%s %+v: %v", c.kind, c.fault, err)
		}
		if got.content != c.want.content || got.wrong != c.want.wrong || got.retryAfter != c.want.retryAfter || got.reason == "" {
			t.Errorf("%s %+v: %+v, want %+v", c.kind, c.fault, got, c.want)
		}
	}
}
