package export

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"treq/telemetry/journal"
)

// strict is a backend that checks requests as one of the products does.
type strict struct {
	t     testing.TB
	check func(r *http.Request, body []byte) int

	mu       sync.Mutex
	requests []*http.Request
	taken    []spanSpec
	refused  int
}

// RoundTrip answers in place of a network.
func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	body, err := unpacked(r.Header.Get("Content-Encoding"), body)
	status := http.StatusBadRequest
	if err == nil {
		status = s.check(r, body)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case status != http.StatusOK:
		s.refused++
	case r.Header.Get(probeHeader) == "":
		s.requests = append(s.requests, r)
		request := ptraceotlp.NewExportRequest()
		if r.Header.Get("Content-Type") == "application/json" {
			err = request.UnmarshalJSON(body)
		} else {
			err = request.UnmarshalProto(body)
		}
		if err != nil {
			s.t.Errorf("taken, and does not decode: %v", err)
		}
		again, _ := request.MarshalProto()
		s.taken = append(s.taken, decode(s.t, again)...)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// likeLangfuse refuses as Langfuse does: another content type, or one span of a
// request whose ids are not of their length.
func likeLangfuse(r *http.Request, body []byte) int {
	if r.URL.Path != "/api/public/otel/v1/traces" {
		return http.StatusNotFound
	}
	if r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("pk-lf-1:sk-lf-2")) {
		return http.StatusUnauthorized
	}
	if r.Header.Get("Content-Type") == "application/json" {
		return http.StatusOK // what is in it was decoded before it was written
	}
	if r.Header.Get("Content-Type") != "application/x-protobuf" {
		return http.StatusBadRequest
	}
	good := true
	err := eachSpan(body, func(span []byte) {
		good = good && len(lastField(span, spanTraceID)) == 16 && len(lastField(span, 2)) == 8
	})
	if err != nil || !good {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// likePhoenix refuses as Phoenix does: anything but protobuf, and what does not decode.
func likePhoenix(r *http.Request, body []byte) int {
	switch {
	case r.URL.Path != "/v1/traces":
		return http.StatusMethodNotAllowed
	case r.Header.Get("Authorization") != "Bearer pk-lf-1:sk-lf-2":
		return http.StatusUnauthorized
	case r.Header.Get("Content-Type") != "application/x-protobuf":
		return http.StatusUnsupportedMediaType
	}
	if err := ptraceotlp.NewExportRequest().UnmarshalProto(body); err != nil {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

// shortID is a request of one span whose trace id is cut short.
func shortID() []byte {
	message := func(field protowire.Number, content []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), content)
	}
	span := append(message(1, []byte("short")), message(2, []byte("12345678"))...)
	return message(requestResourceSpans, message(resourceScopeSpans, message(scopeSpans, span)))
}

// strictly runs a sink towards a strict backend with three good spans, and a bad one.
func strictly(t *testing.T, c Config, check func(*http.Request, []byte) int, bad []byte, want account) *strict {
	s := &strict{t: t, check: check}
	synctest.Test(t, func(t *testing.T) {
		stand := newStand(t, journal.Options{})
		stand.append(journal.Entry{Items: 2, Project: "assistente", Tenant: "workspace-of-langsmith", Body: encode(t, ids(1, 2))})
		if bad != nil {
			stand.append(journal.Entry{Items: 1, Project: "assistente", Body: bad})
		}
		stand.append(journal.Entry{Items: 1, Project: "assistente", Body: encode(t, ids(3, 1))})
		c.Name = "sink"
		d := stand.deps(nil)
		d.Transport = s
		sink, err := New(c, d)
		if err != nil {
			t.Fatal(err)
		}
		sink.Start()
		time.Sleep(time.Minute)
		checkAccount(t, sink, want)
		if err := sink.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestLangfuseRefusesWholeBatches(t *testing.T) {
	c := Config{Profile: "langfuse", Endpoint: "https://cloud.langfuse.test", APIKey: secret("pk-lf-1:sk-lf-2")}
	s := strictly(t, c, likeLangfuse, shortID(), account{Admitted: 4, Sent: 3, Dead: 1})
	if len(s.taken) != 3 || s.refused == 0 {
		t.Errorf("took %v, refused %d", s.taken, s.refused)
	}
	if v := s.requests[0].Header.Get("X-Langfuse-Ingestion-Version"); v != "4" {
		t.Errorf("ingestion version %q", v)
	}
	c.Protocol = JSON
	if s := strictly(t, c, likeLangfuse, nil, account{Admitted: 3, Sent: 3}); len(s.taken) != 3 || s.requests[0].Header.Get("Content-Type") != "application/json" {
		t.Errorf("JSON: took %v", s.taken)
	}
}

func TestPhoenixTakesProtobuf(t *testing.T) {
	c := Config{Profile: "phoenix", Endpoint: "http://phoenix.test:6006", APIKey: secret("pk-lf-1:sk-lf-2")}
	s := strictly(t, c, likePhoenix, []byte{0x0a, 0x7f}, account{Admitted: 4, Sent: 3, Dead: 1})
	if len(s.taken) != 3 || s.requests[0].Header.Get("X-Project-Name") != "assistente" {
		t.Errorf("took %v with header %v", s.taken, s.requests[0].Header)
	}
	c.Protocol = JSON
	if err := (Config{Name: "p", Profile: "phoenix", Endpoint: "http://p", Protocol: JSON}).Validate(); err == nil || !strings.Contains(err.Error(), "which speaks http/protobuf, grpc") {
		t.Errorf("Phoenix in JSON: %v", err)
	}
}

// TestProfiles sends with every profile's address and headers.
func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		config Config
		url    string
		header map[string]string
	}{
		{Config{Profile: "otlp", Endpoint: "http://any.test:4318/v1/traces"}, "http://any.test:4318/v1/traces", nil},
		{
			Config{Profile: "langsmith", Endpoint: "https://api.smith.test"},
			"https://api.smith.test/otel/v1/traces",
			map[string]string{"X-Api-Key": "key", "Langsmith-Project": "assistente", "X-Tenant-Id": "workspace-of-langsmith"},
		},
		{
			Config{Profile: "langfuse", Endpoint: "https://us.cloud.langfuse.test/api/public/otel"},
			"https://us.cloud.langfuse.test/api/public/otel/v1/traces",
			map[string]string{"Authorization": "Basic a2V5"},
		},
		{
			Config{Profile: "phoenix", Endpoint: "http://phoenix.test:6006/v1/traces"},
			"http://phoenix.test:6006/v1/traces",
			map[string]string{"Authorization": "Bearer key", "X-Project-Name": "assistente"},
		},
		{
			Config{Profile: "opik", Endpoint: "https://www.comet.test/opik/api", Tenant: "ours"},
			"https://www.comet.test/opik/api/v1/private/otel/v1/traces",
			map[string]string{"Authorization": "key", "Projectname": "assistente", "Comet-Workspace": "ours"},
		},
		{
			Config{Profile: "braintrust", Endpoint: "https://api.braintrust.test"},
			"https://api.braintrust.test/otel/v1/traces",
			map[string]string{"Authorization": "Bearer key", "X-Bt-Parent": "project_name:assistente"},
		},
		{
			Config{Profile: "honeycomb", Endpoint: "https://api.eu1.honeycomb.test/"},
			"https://api.eu1.honeycomb.test/v1/traces",
			map[string]string{"X-Honeycomb-Team": "key"},
		},
		{
			Config{Profile: "datadog", Endpoint: "https://otlp.datadoghq.test"},
			"https://otlp.datadoghq.test/v1/traces",
			map[string]string{"Dd-Api-Key": "key", "Dd-Otlp-Source": "llmobs"},
		},
		{
			Config{Profile: "grafana-cloud", Endpoint: "https://otlp-gateway-prod-sa-east-1.grafana.test/otlp"},
			"https://otlp-gateway-prod-sa-east-1.grafana.test/otlp/v1/traces",
			map[string]string{"Authorization": "Basic a2V5"},
		},
	} {
		for _, protocol := range []string{Protobuf, JSON} {
			if c.config.Profile == "phoenix" && protocol == JSON {
				continue
			}
			t.Run(c.config.Profile+" "+protocol, func(t *testing.T) {
				config := c.config
				config.Protocol = protocol
				if config.Profile != "otlp" {
					config.APIKey = secret("key")
				}
				s := strictly(t, config, func(*http.Request, []byte) int { return http.StatusOK }, nil, account{Admitted: 3, Sent: 3})
				if len(s.taken) != 3 {
					t.Fatalf("took %v", s.taken)
				}
				r := s.requests[0]
				if r.URL.String() != c.url {
					t.Errorf("sent to %s, want %s", r.URL, c.url)
				}
				for name, want := range c.header {
					if got := r.Header.Get(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
			})
		}
	}
	if len(profiles) != 9 {
		t.Errorf("%d profiles, and not all are tested", len(profiles))
	}
}

// TestBraintrustParents takes a parent that says what it is.
func TestBraintrustParents(t *testing.T) {
	for name, want := range map[string]string{"treq": "project_name:treq", "project_id:7": "project_id:7", "experiment_id:8": "experiment_id:8"} {
		if got := braintrustParent(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
