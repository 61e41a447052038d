package notify

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"treq/server/alerting"
	"treq/telemetry"
)

// sampleTo sends a sample to one receiver over the real network.
func sampleTo(t *testing.T, r Receiver) Sampled {
	t.Helper()
	r.Name = "team"
	out, err := SendSamples(t.Context(), settings(r), "team", "1.0", nil)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func TestAddressesThatNoReceiverHas(t *testing.T) {
	for address, refused := range map[string]bool{
		"169.254.169.254": true, "169.254.1.1": true, "fe80::1": true, "fd00:ec2::254": true, "100.100.100.200": true, "168.63.129.16": true,
		"192.0.0.192": true, "224.0.0.1": true, "ff02::1": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true, "2002:a9fe:a9fe::1": true, "::a9fe:a9fe": true, "2002:c000:204::1": false, "fe80::1%eth0": true,
		"127.0.0.1": false, "::1": false, "10.0.0.1": false, "192.168.1.1": false, "fd12::1": false, "8.8.8.8": false, "100.100.100.201": false,
	} {
		if err := refuseAddress(netip.MustParseAddr(address)); (err != nil) != refused {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, network := range []string{"tcp4", "tcp6"} {
		if err := control(network, "[::ffff:169.254.169.254]:80", nil); telemetry.KindOf(err) != telemetry.Forbidden {
			t.Errorf("dialling the metadata service: %v", err)
		}
	}
}

// The address is looked at when it is dialled, after every lookup: a name that
// leads to a metadata service gets no connection.
func TestDialIsGuarded(t *testing.T) {
	for _, transport := range []*http.Transport{newTransport(nil)} {
		c, err := transport.DialContext(t.Context(), "tcp", "169.254.169.254:80")
		if err == nil {
			_ = c.Close()
		}
		if telemetry.KindOf(err) != telemetry.Forbidden {
			t.Errorf("dialling: %v", err)
		}
	}
	e := newEmail(Receiver{Kind: Email, Address: "169.254.169.254:25", Security: noTLS, From: "a@b.example", To: []string{"c@d.example"}}, englishStyle())
	if _, err := e.send(t.Context(), newSample("team", time.Now())); err == nil || !strings.Contains(err.Error(), "link-local") {
		t.Errorf("mail to a metadata service: %v", err)
	}
	s := newShoutrrr(secret{text: telemetry.NewSecret("generic://169.254.169.254/x?disabletls=yes")}, englishStyle())
	if _, err := s.send(t.Context(), newSample("team", time.Now())); err == nil || !strings.Contains(err.Error(), "link-local") {
		t.Errorf("shoutrrr to a metadata service: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		got := sampleTo(t, Receiver{Kind: Webhook, URL: telemetry.NewSecret(server.URL), Token: telemetry.NewSecret("token")})
		server.Close()
		if got.Err == nil || !strings.Contains(got.Err.Error(), "redirects are not followed") {
			t.Errorf("%d: %v", status, got.Err)
		}
	}
	if reached.Load() {
		t.Error("a redirect was followed")
	}
}

// A secret in a file is read for each message.
func TestSecretsOfFilesRotate(t *testing.T) {
	var token atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { token.Store(r.Header.Get("Authorization")) }))
	defer server.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := Receiver{Kind: Webhook, URLFile: write("url", server.URL+"\n"), TokenFile: write("token", "first\n")}
	for _, want := range []string{"first", "second"} {
		write("token", want+"\n")
		if got := sampleTo(t, r); got.Err != nil || token.Load() != "Bearer "+want {
			t.Errorf("sent %v, %v", token.Load(), got.Err)
		}
	}
	r.TokenFile = filepath.Join(dir, "missing")
	if got := sampleTo(t, r); got.Err == nil || !strings.Contains(got.Err.Error(), "missing") {
		t.Errorf("a file that is not there: %v", got.Err)
	}
	write("url", "http://169.254.169.254/")
	if got := sampleTo(t, Receiver{Kind: Webhook, URLFile: filepath.Join(dir, "url")}); got.Err == nil || !strings.Contains(got.Err.Error(), "link-local") {
		t.Errorf("a metadata service in a file: %v", got.Err)
	}
}

// Faults of real connections are told in words that name no URL.
func TestFaultsOfConnections(t *testing.T) {
	release := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hang.Close()
	defer close(release)
	reset := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}))
	defer reset.Close()
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer tlsServer.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for name, c := range map[string]struct{ url, want string }{
		"hang": {hang.URL, "no answer in time"}, "reset": {reset.URL, "reset"}, "refused": {closed.URL, "refused"},
		"certificate": {tlsServer.URL, "certificate"}, "no TLS": {strings.Replace(hang.URL, "http:", "https:", 1), "TLS"},
	} {
		got := sampleTo(t, Receiver{Kind: Slack, URL: telemetry.NewSecret(c.url + "/canary"), Timeout: time.Second})
		if got.Err == nil || !strings.Contains(got.Err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, got.Err, c.want)
		}
		if got.Err != nil && strings.Contains(got.Err.Error()+got.Answer, "canary") {
			t.Errorf("%s: %v shows the URL", name, got.Err)
		}
	}
}

// Receivers of every kind that answer with what they were sent: the secrets of the
// settings turn up in no error, no status and no log.
func TestSecretsStayWhereTheyAre(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "not with %v to %s of %s", r.Header, r.URL, r.Host)
	}))
	defer echo.Close()
	n := 0
	canary := func() string { n++; return fmt.Sprintf("canary%02d-4f9c", n) }
	hidden := func() telemetry.Secret { return telemetry.NewSecret(canary()) }
	url := func() telemetry.Secret { return telemetry.NewSecret(echo.URL + "/" + canary() + "?key=" + canary()) }
	receivers := []Receiver{
		{Name: "slack", Kind: Slack, URL: url()},
		{Name: "discord", Kind: Discord, URL: url()},
		{Name: "teams", Kind: Teams, URL: url()},
		{Name: "telegram", Kind: Telegram, URL: telemetry.NewSecret(echo.URL), Token: hidden(), Chat: "1"},
		{Name: "webhook", Kind: Webhook, URL: url(), Token: hidden(), Secret: hidden(), Headers: map[string]telemetry.Secret{"X-Key": hidden(), "Authorization": hidden()}},
		{Name: "alertmanager", Kind: Alertmanager, URL: url(), Token: hidden()},
		{Name: "shoutrrr", Kind: Shoutrrr, URL: telemetry.NewSecret(strings.Replace(echo.URL, "http:", "generic+http:", 1) + "/" + canary())},
		{Name: "user", Kind: Webhook, URL: telemetry.NewSecret(strings.Replace(echo.URL, "//", "//"+canary()+":"+canary()+"@", 1))},
	}
	var log bytes.Buffer
	c := settings(receivers...)
	c.GroupWait = 0
	d, err := Open(c, Deps{Dir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	if err := d.Notify(t.Context(), []alerting.Alert{alert("x", "errors", alerting.Critical)}); err != nil {
		t.Fatal(err)
	}
	failed := func() bool {
		for _, s := range d.Status() {
			if s.Failed == 0 {
				return false
			}
		}
		return true
	}
	for !failed() {
		time.Sleep(time.Millisecond)
	}
	status := d.Status()
	if err := d.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	sampled, err := SendSamples(t.Context(), c, "", "1.0", nil)
	if err != nil {
		t.Fatal(err)
	}
	texts := fmt.Sprintf("%+v\n%v\n%v\n%v", status, log.String(), fmt.Sprintf("%+v", sampled), fmt.Sprintf("%+v", c))
	if strings.Contains(texts, "canary") || strings.Contains(texts, "bm90") {
		t.Errorf("a secret shows:\n%s", texts)
	}
	for _, s := range sampled {
		if s.Err == nil || s.Kind != Shoutrrr && !strings.Contains(s.Answer, "not with") {
			t.Errorf("%s: %v, answered %q", s.Receiver, s.Err, s.Answer)
		}
	}
	for _, s := range status {
		if strings.Contains(s.LastError, "not with") {
			t.Errorf("%s: the status repeats the answer: %s", s.Name, s.LastError)
		}
	}
}

// The library's services take what we hand them.
func TestShoutrrr(t *testing.T) {
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		_, _ = b.ReadFrom(r.Body)
		_, _ = w.Write([]byte("{}"))
		bodies <- r.URL.Path + " " + b.String()
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	address := strings.TrimPrefix(server.URL, "http://")
	for _, u := range []string{"generic+http://" + address + "/topic", "ntfy://" + address + "/topic?scheme=http"} {
		got := sampleTo(t, Receiver{Kind: Shoutrrr, URL: telemetry.NewSecret(u)})
		if got.Err != nil || !strings.HasPrefix(got.Answer, "taken by") {
			t.Fatalf("%s: %q, %v", u, got.Answer, got.Err)
		}
		if body := <-bodies; !strings.HasPrefix(body, "/topic ") || !strings.Contains(body, english.sampleBody) {
			t.Errorf("%s: sent %q", u, body)
		}
	}
	for u, want := range map[string]string{"logger://": "tells nobody", "nosuch://canary": "knows no service", "canary": "must be a URL", "slack://canary": "does not take"} {
		if err := checkShoutrrr(u); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", u, err, want)
		}
	}
}

// What a library sends by Go's default client keeps our rules, once that is guarded.
func TestDefaultClientIsGuarded(t *testing.T) {
	client, transport := http.DefaultClient, http.DefaultTransport
	GuardDefaultClient(nil)
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		http.DefaultClient, http.DefaultTransport = client, transport
	}()
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer other.Close()
	for _, status := range []int{302, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL, status))
		got := sampleTo(t, Receiver{Kind: Shoutrrr, URL: telemetry.NewSecret("generic+" + server.URL + "/x")})
		server.Close()
		if got.Err == nil {
			t.Errorf("%d: a redirect counts as taken", status)
		}
	}
	if reached.Load() {
		t.Error("a redirect was followed")
	}
	for _, c := range []*http.Client{http.DefaultClient, {}} {
		answer, err := c.Get("http://169.254.169.254/latest/meta-data")
		if err == nil {
			_ = answer.Body.Close()
		}
		if telemetry.KindOf(err) != telemetry.Forbidden {
			t.Errorf("asking the metadata service: %v", err)
		}
	}
	if http.DefaultClient.Timeout == 0 {
		t.Error("a request may go on for ever")
	}
}

// A service that hangs gathers no more than a few goroutines.
func TestShoutrrrThatHangs(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request) { <-release }))
	s := newShoutrrr(secret{text: telemetry.NewSecret("generic+" + server.URL + "/x")}, englishStyle())
	for range shoutrrrCalls {
		attempt, cancel := contextThatEnds(t)
		if _, err := s.send(attempt, newSample("team", time.Now())); err == nil || !strings.Contains(err.Error(), "in time") {
			t.Errorf("a service that hangs: %v", err)
		}
		cancel()
	}
	if _, err := s.send(t.Context(), newSample("team", time.Now())); err == nil || !strings.Contains(err.Error(), "earlier messages") {
		t.Errorf("one more: %v", err)
	}
	close(release)
	for len(s.calls) > 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := s.send(t.Context(), newSample("team", time.Now())); err != nil {
		t.Errorf("after it answered: %v", err)
	}
	http.DefaultClient.CloseIdleConnections()
	server.Close()
}

func TestSamples(t *testing.T) {
	if _, err := SendSamples(t.Context(), settings(hook("a")), "b", "1.0", nil); telemetry.KindOf(err) != telemetry.NotFound {
		t.Errorf("a receiver that is not there: %v", err)
	}
	if _, err := SendSamples(t.Context(), settings(Receiver{Name: "a"}), "", "1.0", nil); telemetry.KindOf(err) == telemetry.NotFound || err == nil {
		t.Errorf("settings that are wrong: %v", err)
	}
}
