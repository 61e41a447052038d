package server

import (
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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/server/config"
)

// certificateFiles writes a certificate of its own authority for this machine.
func certificateFiles(t *testing.T, name string) config.TLS {
	t.Helper()
	dir := t.TempDir()
	f := config.TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	writeCertificate(t, f, name)
	return f
}

func writeCertificate(t *testing.T, f config.TLS, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replaceFile(t, f.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	replaceFile(t, f.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// replaceFile puts a new file in the old one's place, with a time that differs.
func replaceFile(t *testing.T, path string, content []byte) {
	t.Helper()
	later := time.Now()
	if info, err := os.Stat(path); err == nil && !later.After(info.ModTime()) {
		later = info.ModTime().Add(time.Second)
	}
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path+".new", later, later); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// roots trust the certificate in these files; nil without TLS.
func roots(t *testing.T, f config.TLS) *x509.CertPool {
	t.Helper()
	if !f.On() {
		return nil
	}
	text, err := os.ReadFile(f.Cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return pool
}

// shown gives the name on the certificate that a door shows.
func shown(t *testing.T, address string) string {
	t.Helper()
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificatesRenewThemselves(t *testing.T) {
	c := settings(t)
	c.TLS = certificateFiles(t, "first")
	p := begin(t, c)
	one, otlpHTTP, otlpGRPC := p.Addr()
	for _, address := range []string{one, otlpHTTP, otlpGRPC} {
		if name := shown(t, address); name != "first" {
			t.Errorf("%s shows %q", address, name)
		}
	}
	key, err := os.ReadFile(c.TLS.Key)
	if err != nil {
		t.Fatal(err)
	}
	writeCertificate(t, c.TLS, "second")
	for _, address := range []string{one, otlpHTTP, otlpGRPC} {
		if name := shown(t, address); name != "second" {
			t.Errorf("renewed, %s shows %q", address, name)
		}
	}
	replaceFile(t, c.TLS.Key, key) // of the first
	for range 3 {
		if name := shown(t, one); name != "second" {
			t.Errorf("half renewed, the door shows %q", name)
		}
	}
	if n := strings.Count(p.logs.String(), "cannot be used"); n != 1 {
		t.Errorf("said %d times:\n%s", n, p.logs)
	}
	writeCertificate(t, c.TLS, "third")
	if name := shown(t, one); name != "third" {
		t.Errorf("whole again, the door shows %q", name)
	}
}

func TestClientsNeedACertificate(t *testing.T) {
	c := settings(t)
	c.TLS = certificateFiles(t, "server")
	known, stranger := certificateFiles(t, "client"), certificateFiles(t, "stranger")
	c.TLS.ClientCA = known.Cert
	p := begin(t, c)
	one, otlpHTTP, otlpGRPC := p.Addr()
	for name, files := range map[string]config.TLS{"known": known, "stranger": stranger, "none": {}} {
		for _, address := range []string{one, otlpHTTP, otlpGRPC} {
			settings := &tls.Config{RootCAs: roots(t, c.TLS)}
			if files.On() {
				pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
				if err != nil {
					t.Fatal(err)
				}
				settings.Certificates = []tls.Certificate{pair}
			}
			transport := &http.Transport{TLSClientConfig: settings}
			res, err := (&http.Client{Transport: transport}).Get("https://" + address + "/monitoring/health")
			if (err == nil) != (name == "known") {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil {
				_ = res.Body.Close()
			}
			transport.CloseIdleConnections()
		}
	}
}

func TestBadCertificatesStopTheStart(t *testing.T) {
	good := certificateFiles(t, "a")
	other := certificateFiles(t, "b")
	empty := filepath.Join(t.TempDir(), "empty")
	replaceFile(t, empty, nil)
	for name, files := range map[string]config.TLS{
		"missing":         {Cert: "/nowhere", Key: good.Key},
		"another's key":   {Cert: good.Cert, Key: other.Key},
		"no authority":    {Cert: good.Cert, Key: good.Key, ClientCA: empty},
		"missing clients": {Cert: good.Cert, Key: good.Key, ClientCA: "/nowhere"},
	} {
		c := settings(t)
		c.TLS = files
		if s, err := New(t.Context(), c, slog.New(slog.DiscardHandler), "test"); err == nil {
			_ = s.Stop(t.Context())
			t.Errorf("%s: started", name)
		} else if !strings.Contains(err.Error(), "tls") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// clientTLS trusts the certificate in these files.
func clientTLS(t *testing.T, f config.TLS) *tls.Config { return &tls.Config{RootCAs: roots(t, f)} }
