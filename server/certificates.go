package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"treq/server/config"
)

// certificates are what the doors show, read again at the handshake that finds a
// file changed: an issuer that renews them needs to tell nobody. Safe for concurrent use.
type certificates struct {
	log *slog.Logger

	mu      sync.Mutex
	files   config.TLS
	stamp   stamp // of what is in use
	refused stamp // of what could not be used, so that it is logged once
	current *tls.Config
	expires time.Time
}

// stamp tells versions of the three files apart.
type stamp [3]struct {
	changed time.Time
	size    int64
}

// newCertificates reads the files. It fails where the doors could not open with them.
func newCertificates(files config.TLS, log *slog.Logger) (*certificates, error) {
	c := &certificates{log: log}
	return c, c.replace(files)
}

// replace takes other files, all or none of them.
func (c *certificates) replace(files config.TLS) error {
	now := stampOf(files)
	next, expires, err := readTLS(files)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files, c.stamp, c.current, c.expires = files, now, next, expires
	return nil
}

// server gives the settings of a door, that ask at every handshake.
func (c *certificates) server() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.fresh(), nil },
	}
}

// fresh gives what the files hold now, or what they held when they were last whole.
func (c *certificates) fresh() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := stampOf(c.files)
	if now == c.stamp || now == c.refused {
		return c.current
	}
	next, expires, err := readTLS(c.files)
	if err != nil {
		c.refused = now
		c.log.Error("the changed certificate cannot be used and the old one stays", "error", err)
		return c.current
	}
	c.stamp, c.current, c.expires = now, next, expires
	c.log.Info("the certificate was read again", "expires", expires)
	return next
}

// expiry is when the certificate in use ends.
func (c *certificates) expiry() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.expires
}

func stampOf(files config.TLS) (s stamp) {
	for i, name := range [...]string{files.Cert, files.Key, files.ClientCA} {
		if name == "" {
			continue
		}
		if info, err := os.Stat(name); err == nil {
			s[i].changed, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}

func readTLS(files config.TLS) (c *tls.Config, expires time.Time, err error) {
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		return nil, expires, fmt.Errorf("tls: %w", err)
	}
	c = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{pair},
		NextProtos:   []string{"h2", "http/1.1"},
	}
	if files.ClientCA != "" {
		pem, err := os.ReadFile(files.ClientCA)
		if err != nil {
			return nil, expires, fmt.Errorf("tls.client_ca: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, expires, errors.New("tls.client_ca: " + files.ClientCA + " holds no certificate")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
		// A session taken up again would go by the authorities of the time it began.
		c.SessionTicketsDisabled = true
	}
	return c, pair.Leaf.NotAfter, nil
}
