package notify

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"treq/telemetry"
)

// metadata are addresses at which clouds tell machines their secrets and that are
// not link-local.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle
}

// carriers are networks of IPv6 that lead to an IPv4 address which they carry, from
// the given byte on.
var carriers = []struct {
	network netip.Prefix
	at      int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
	{netip.MustParsePrefix("::/96"), 12},        // IPv4-compatible
}

// refuseAddress gives an error of kind Forbidden for addresses that no receiver
// has: link-local ones, among them the clouds' metadata services, and multicast.
// Loopback and private ones are allowed, since a person wrote them down.
func refuseAddress(a netip.Addr) error {
	a = a.Unmap()
	for _, c := range carriers {
		if b := a.As16(); c.network.Contains(a) && !a.IsLoopback() {
			a = netip.AddrFrom4([4]byte(b[c.at:]))
		}
	}
	refused := a.IsLinkLocalUnicast() || a.IsMulticast()
	for _, m := range metadata {
		refused = refused || a.WithZone("") == m
	}
	if refused {
		return telemetry.Errorf(telemetry.Forbidden, "%s is a link-local, multicast or metadata address, which no receiver has", a)
	}
	return nil
}

// control looks at an address once it is resolved, right before the connection is
// made, so that no name can lead elsewhere than it did when it was checked.
func control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return telemetry.Errorf(telemetry.Forbidden, "%s is no address", address)
	}
	return refuseAddress(to.Addr())
}

// newDialer makes the dialer of everything that this package connects to itself.
func newDialer() *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second, Control: control}
}

// newTransport makes the transport of all receivers that speak HTTP.
func newTransport(proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	return &http.Transport{
		Proxy:                  proxy,
		DialContext:            newDialer().DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// libraryTimeout bounds a request that a library makes by itself.
const libraryTimeout = 30 * time.Second

// GuardDefaultClient makes http.DefaultClient and http.DefaultTransport, which most
// services of shoutrrr send by, keep the rules of this package: refused addresses,
// no redirects, an end after 30 s. It changes the whole process: the command calls
// it once, before anything else runs. Nothing of this product uses the two.
func GuardDefaultClient(proxy func(*http.Request) (*url.URL, error)) {
	transport := newTransport(proxy)
	http.DefaultTransport = transport
	http.DefaultClient = &http.Client{
		Transport: transport,
		Timeout:   libraryTimeout,
		// An error, and not the redirect: there are services that take one for a success.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return telemetry.Errorf(telemetry.Forbidden, "redirects are not followed")
		},
	}
}

// refuseHost resolves a name and looks at every address of it, for connections
// that a library makes where this package cannot look.
func refuseHost(ctx context.Context, host string) error {
	if host == "" {
		return nil
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return telemetry.Errorf(telemetry.Unavailable, "the receiver's name cannot be resolved")
	}
	for _, a := range addresses {
		if err := refuseAddress(a); err != nil {
			return err
		}
	}
	return nil
}
