package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"treq/server/config"
)

// mostProbed bounds what is read of an answer.
const mostProbed = 64 << 10

func (p *process) probeCommand() *cobra.Command {
	var live bool
	var within time.Duration
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "Ask the service of these settings whether it is ready; for health checks of containers",
		Long: `Probe asks the service that serve starts with the same flags, variables and file
on this machine, and says why it is not ready. It needs neither a shell nor curl.
Exit code 0: ready; 1: not; 2: a mistake in flags or settings.`,
		Example: `  treq-telemetry probe
  treq-telemetry probe --live --listen :8002`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.loadSettings(cmd, "")
			if err != nil {
				return err
			}
			path := "/readyz"
			if live {
				path = "/livez"
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), within)
			defer cancel()
			return probe(ctx, loaded.Config, path)
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask whether it lives, which it does before it is ready")
	cmd.Flags().DurationVar(&within, "within", 4*time.Second, "`time` that it has for an answer")
	addSettingFlags(cmd, "listen", "tls-cert", "tls-key", "tls-client-ca")
	return cmd
}

// probe asks for path at the one port, as a caller on this machine.
func probe(ctx context.Context, c config.Config, path string) error {
	host, port, err := net.SplitHostPort(c.Listen.HostPort)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	// Localhost is served whatever hosts are allowed.
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if c.TLS.On() {
		scheme = "https"
		// The certificate is of the name by which others reach the service; where it
		// asks for one too, it takes its own if that is of the same authorities.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		if c.TLS.ClientCA != "" {
			own, err := tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key)
			if err != nil {
				return err
			}
			transport.TLSClientConfig.Certificates = []tls.Certificate{own}
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostProbed))
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return errors.Join(fmt.Errorf("%s answers %s: %s", path, answer.Status, strings.TrimSpace(string(body))), err)
}
