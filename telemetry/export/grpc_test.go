package export

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"treq/telemetry/journal"
)

// receiver is an OTLP receiver over gRPC by the collector's own library.
type receiver struct {
	ptraceotlp.UnimplementedGRPCServer
	fields chan metadata.MD
	spans  chan int
}

// Export takes a request.
func (r *receiver) Export(ctx context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	fields, _ := metadata.FromIncomingContext(ctx)
	r.fields <- fields
	r.spans <- request.Traces().SpanCount()
	return ptraceotlp.NewExportResponse(), nil
}

// receive serves until the test ends.
func receive(t *testing.T, options ...grpc.ServerOption) (*receiver, string) {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{fields: make(chan metadata.MD, 10), spans: make(chan int, 10)}
	server := grpc.NewServer(options...)
	ptraceotlp.RegisterGRPCServer(server, r)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listen)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return r, listen.Addr().String()
}

// certificates writes an authority, a server's certificate for 127.0.0.1 and a
// client's, and gives the directory.
func certificates(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var authority *x509.Certificate
	var authorityKey *ecdsa.PrivateKey
	for i, name := range []string{"ca", "server", "client"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: i == 0, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		if i == 0 {
			authority, authorityKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, authority, key.Public(), authorityKey)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalECPrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".pem", "CERTIFICATE", der)
		write(name+".key", "EC PRIVATE KEY", secret)
	}
	return dir
}

// askingWho is the TLS of a server that takes nobody without a certificate.
func askingWho(t *testing.T, dir string) *tls.Config {
	t.Helper()
	settings, err := TLS{CA: filepath.Join(dir, "ca.pem"), Certificate: filepath.Join(dir, "server.pem"), Key: filepath.Join(dir, "server.key")}.settings()
	if err != nil {
		t.Fatal(err)
	}
	settings.ClientCAs, settings.ClientAuth = settings.RootCAs, tls.RequireAndVerifyClientCert
	return settings
}

func ours(dir string) TLS {
	return TLS{CA: filepath.Join(dir, "ca.pem"), Certificate: filepath.Join(dir, "client.pem"), Key: filepath.Join(dir, "client.key")}
}

// attempt makes one attempt with a configuration's sender.
func attempt(t *testing.T, c Config) outcome {
	t.Helper()
	c.Name = "sink"
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	c = c.WithDefaults()
	s, err := newSender(c, Deps{Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.closeGRPC()
	content := encode(t, ids(1, 3))
	out, released := s.send(t.Context(), route{project: "assistente"}, body{chunks: [][]byte{content}, size: int64(len(content))})
	<-released
	if transport, ok := s.transport.(*http.Transport); ok {
		transport.CloseIdleConnections()
	}
	return out
}

func TestGRPC(t *testing.T) {
	r, address := receive(t)
	out := attempt(t, Config{Profile: "honeycomb", Protocol: GRPC, Endpoint: "http://" + address, APIKey: secret("team-key")})
	if out.action != succeed {
		t.Fatalf("%+v", out)
	}
	fields := <-r.fields
	if n := <-r.spans; n != 3 || fields.Get("x-honeycomb-team")[0] != "team-key" {
		t.Errorf("%d spans with %v", n, fields)
	}
	dir := certificates(t)
	r, address = receive(t, grpc.Creds(credentials.NewTLS(askingWho(t, dir))))
	if out := attempt(t, Config{Protocol: GRPC, Endpoint: "https://" + address, TLS: ours(dir)}); out.action != succeed || <-r.spans != 3 {
		t.Errorf("with a certificate: %+v", out)
	}
	if out := attempt(t, Config{Protocol: GRPC, Endpoint: "https://" + address, TLS: TLS{CA: filepath.Join(dir, "ca.pem")}, Timeout: 5 * time.Second}); out.action != retry {
		t.Errorf("without one: %+v", out)
	}
}

// TestGRPCSink delivers a journal over gRPC, with an account that holds.
func TestGRPCSink(t *testing.T) {
	r, address := receive(t)
	s := newStand(t, journal.Options{})
	s.spans(ids(1, 3))
	d := s.deps(nil)
	d.Transport = nil
	sink, err := New(Config{Name: "grpc", Protocol: GRPC, Endpoint: "http://" + address}, d)
	if err != nil {
		t.Fatal(err)
	}
	sink.pump.first = 3
	sink.Start()
	<-r.fields
	n := <-r.spans
	stop(t, sink)
	if n != 3 {
		t.Errorf("%d spans", n)
	}
	checkAccount(t, sink, account{Admitted: 3, Sent: 3})
}

func TestClientCertificates(t *testing.T) {
	dir := certificates(t)
	taken := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.TLS.PeerCertificates[0].Subject.CommonName == "client" {
			taken++
		}
	}))
	server.TLS = askingWho(t, dir)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	if out := attempt(t, Config{Endpoint: server.URL + "/v1/traces", TLS: ours(dir)}); out.action != succeed || taken != 1 {
		t.Errorf("%+v, taken %d", out, taken)
	}
	if out := attempt(t, Config{Endpoint: server.URL + "/v1/traces", TLS: TLS{CA: filepath.Join(dir, "ca.pem")}}); out.action != retry {
		t.Errorf("without a certificate: %+v", out)
	}
	for _, bad := range []TLS{{CA: filepath.Join(dir, "none.pem")}, {CA: filepath.Join(dir, "ca.key")}, {Certificate: filepath.Join(dir, "ca.pem"), Key: filepath.Join(dir, "server.key")}} {
		if _, err := bad.settings(); err == nil || !strings.HasPrefix(err.Error(), "tls.") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := (Config{Name: "s", Endpoint: "https://x", TLS: TLS{Key: "k"}}).Validate(); err == nil || !strings.Contains(err.Error(), "sinks.s.tls") {
		t.Errorf("a key alone: %v", err)
	}
}

func TestVerdictsOnGRPC(t *testing.T) {
	later, err := grpcstatus.New(codes.ResourceExhausted, "quota").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(7 * time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	if out := judgeGRPC(later); out.action != retry || out.asked != 7*time.Second {
		t.Errorf("%+v", out)
	}
	for code, want := range map[codes.Code]action{
		codes.Unavailable: retry, codes.DeadlineExceeded: retry, codes.Aborted: retry, codes.Internal: retry, codes.ResourceExhausted: retry,
		codes.Unauthenticated: pause, codes.PermissionDenied: pause, codes.Unimplemented: pause,
		codes.InvalidArgument: bisect, codes.AlreadyExists: bury,
	} {
		if out := judgeGRPC(grpcstatus.New(code, "")); out.action != want {
			t.Errorf("%s: %v, want %v", code, out.action, want)
		}
	}
	if out := judgeGRPC(grpcstatus.New(codes.ResourceExhausted, "grpc: received message larger than max (9 vs. 4)")); out.action != split {
		t.Errorf("%+v", out)
	}
}
