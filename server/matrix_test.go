package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"treq/server/api"
	"treq/server/config"
	"treq/telemetry"
)

func secrets(texts ...string) (list []telemetry.Secret) {
	for _, text := range texts {
		list = append(list, telemetry.NewSecret(text))
	}
	return list
}

// callersOf are the tokens of the matrix by what they open.
var callersOf = []struct {
	token               string
	ingest, read, admin bool
}{
	{"", false, false, false},
	{"wrong", false, false, false},
	{"sender", true, false, false},
	{"viewer", false, true, false},
	{"root", true, true, true},
}

func withTokens(c config.Config) config.Config {
	c.Tokens = config.Tokens{Ingest: secrets("sender"), API: secrets("viewer"), Admin: secrets("root")}
	return c
}

// otlpPaths are the ones that the doors of OTLP/HTTP take.
var otlpPaths = []string{"/v1/traces", "/v1/metrics", "/v1/logs", "/otel/v1/traces", "/otel", "/api/v1/otel/v1/traces"}

// Every route, on every door that has it, for every kind of token: none, a wrong
// one, one of another scope, the right one; with the numbers open and closed, in
// clear text and over TLS.
func TestWhoMayDoWhat(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"numbers open":           func(*config.Config) {},
		"numbers closed":         func(c *config.Config) { c.RequireAuth = true },
		"numbers closed, on TLS": func(c *config.Config) { c.RequireAuth = true; c.TLS = certificateFiles(t, "localhost") },
	} {
		t.Run(name, func(t *testing.T) {
			c := withTokens(settings(t))
			change(&c)
			p := begin(t, c)
			m := matrix{t: t, process: p, closed: c.RequireAuth, roots: roots(t, c.TLS)}
			m.client.Transport.(*http.Transport).TLSClientConfig = clientTLS(t, c.TLS)
			one, otlpHTTP, otlpGRPC := p.Addr()
			for _, r := range routes(t) {
				m.route(one, r)
			}
			for _, path := range otlpPaths {
				m.request(one, http.MethodPost, path, func(i int) bool { return callersOf[i].ingest })
				m.request(otlpHTTP, http.MethodPost, path, func(i int) bool { return callersOf[i].ingest })
			}
			for _, address := range []string{one, otlpGRPC} {
				m.grpc(address)
			}
		})
	}
}

// routes lists every route of the API.
func routes(t *testing.T) []api.Route {
	a, err := api.New(api.Options{
		Runs: shownRuns{}, History: shownHistory{}, PromQL: http.NotFoundHandler(), Objectives: shownObjectives{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.Routes()
}

type matrix struct {
	*process
	t      *testing.T
	closed bool
	roots  *x509.CertPool
}

// anyone may ask what tells nothing.
var anyone = map[string]bool{"/": true, "/healthz": true, "/livez": true, "/readyz": true, "/monitoring/health": true, "/openapi.json": true, "/docs": true}

func (m matrix) route(address string, r api.Route) {
	may := func(i int) bool {
		switch {
		case r.Method == http.MethodDelete:
			return callersOf[i].admin
		case strings.HasPrefix(r.Path, "/prometheus/"):
			// A question, also where it comes in a form.
			return !m.closed || callersOf[i].read
		case r.Method != http.MethodGet:
			return callersOf[i].ingest
		case strings.HasPrefix(r.Path, "/monitoring/runs"):
			return callersOf[i].read
		}
		return !m.closed || anyone[r.Path] || callersOf[i].read
	}
	m.request(address, r.Method, r.Path, may)
	if r.Method == http.MethodGet {
		m.request(address, http.MethodHead, r.Path, may)
	}
}

// request sends one request of each caller. Who may not is told 401, or 403 with a
// token that is known; who may gets whatever the route has.
func (m matrix) request(address, method, path string, may func(caller int) bool) {
	m.t.Helper()
	scheme := "http://"
	if m.roots != nil {
		scheme = "https://"
	}
	for i, caller := range callersOf {
		for _, header := range []string{"Authorization", "X-Api-Key"} {
			var body io.Reader
			if method == http.MethodPost {
				body = strings.NewReader("{}")
			}
			req, err := http.NewRequest(method, scheme+address+path, body)
			if err != nil {
				m.t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			if caller.token != "" {
				req.Header.Set(header, map[string]string{"Authorization": "Bearer "}[header]+caller.token)
			}
			res, err := m.client.Do(req)
			if err != nil {
				m.t.Fatal(err)
			}
			var text []byte
			// A stream has no end; its status says all.
			if res.Header.Get("Content-Type") != "text/event-stream" {
				text, _ = io.ReadAll(res.Body)
			}
			_ = res.Body.Close()
			want := http.StatusUnauthorized
			if caller.ingest || caller.read {
				want = http.StatusForbidden
			}
			refused := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden
			if may(i) && refused || !may(i) && res.StatusCode != want {
				m.t.Errorf("%s %s with %q in %s: %d %s", method, path, caller.token, header, res.StatusCode, text)
			}
			if res.StatusCode == http.StatusUnauthorized && res.Header.Get("WWW-Authenticate") == "" {
				m.t.Errorf("%s %s: 401 without WWW-Authenticate", method, path)
			}
		}
	}
}

func (m matrix) grpc(address string) {
	m.t.Helper()
	transport := insecure.NewCredentials()
	if m.roots != nil {
		transport = credentials.NewTLS(&tls.Config{RootCAs: m.roots})
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(transport))
	if err != nil {
		m.t.Fatal(err)
	}
	defer conn.Close()
	methods := map[string]func(context.Context) error{
		"traces": func(ctx context.Context) error {
			_, err := tracepb.NewTraceServiceClient(conn).Export(ctx, &tracepb.ExportTraceServiceRequest{})
			return err
		},
		"metrics": func(ctx context.Context) error {
			_, err := metricspb.NewMetricsServiceClient(conn).Export(ctx, &metricspb.ExportMetricsServiceRequest{})
			return err
		},
		"logs": func(ctx context.Context) error {
			_, err := logspb.NewLogsServiceClient(conn).Export(ctx, &logspb.ExportLogsServiceRequest{})
			return err
		},
	}
	for name, export := range methods {
		for _, caller := range callersOf {
			for _, header := range []string{"authorization", "x-api-key"} {
				ctx := m.t.Context()
				if caller.token != "" {
					ctx = metadata.AppendToOutgoingContext(ctx, header, map[string]string{"authorization": "Bearer "}[header]+caller.token)
				}
				want := codes.Unauthenticated
				if caller.ingest {
					want = codes.OK
				} else if caller.read {
					want = codes.PermissionDenied
				}
				if err := export(ctx); status.Code(err) != want {
					m.t.Errorf("gRPC %s with %q in %s: %v, want %s", name, caller.token, header, err, want)
				}
			}
		}
	}
}

// Nothing of a body is read of who may not send it: 64 bombs at once are 64 headers.
func TestABombWithoutATokenIsNotRead(t *testing.T) {
	p := begin(t, withTokens(settings(t)))
	one, _, _ := p.Addr()
	bomb := bytes.Repeat([]byte{0x1f}, 10<<20)
	for _, path := range append(otlpPaths, "/monitoring/chat/metrics") {
		req, err := http.NewRequest("POST", "http://"+one+path, bytes.NewReader(bomb))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		req.Header.Set("Content-Encoding", "gzip")
		res, err := p.client.Do(req)
		if err != nil {
			continue // the door closed while the body was on its way, as it may
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	for _, d := range p.built.ingest.Stats() {
		if d.Door == "http" && d.Refused["unauthenticated"] != uint64(len(otlpPaths)) {
			t.Errorf("refused: %v", d.Refused)
		}
	}
}
