package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"treq/server/alerting"
	"treq/telemetry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// attempt is a request as a receiver saw it.
type attempt struct {
	at     time.Time
	header http.Header
	body   []byte
	taken  bool
}

// message reads a webhook's body.
func (a attempt) message(t *testing.T) webhookMessage {
	t.Helper()
	var m webhookMessage
	if err := json.Unmarshal(a.body, &m); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return m
}

// fault is what a receiver does to an attempt; the zero value takes it.
type fault struct {
	status int
	header http.Header
	body   string
	hang   bool
	reset  bool
}

// network is a transport without a network: hosts are receivers that misbehave as
// told. It blocks on nothing but time and contexts, so that a test's clock is free.
type network struct {
	mu       sync.Mutex
	attempts map[string][]attempt
	faults   map[string]func(a attempt) fault
}

func newNetwork() *network {
	return &network{attempts: map[string][]attempt{}, faults: map[string]func(attempt) fault{}}
}

// RoundTrip answers as the host's fault says.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	a := attempt{at: time.Now(), header: r.Header.Clone(), body: body}
	n.mu.Lock()
	do := n.faults[r.URL.Host]
	n.mu.Unlock()
	var f fault
	if do != nil {
		f = do(a)
	}
	if f.status == 0 {
		f.status = http.StatusOK
	}
	a.taken = !f.hang && !f.reset && f.status < 300
	n.mu.Lock()
	n.attempts[r.URL.Host] = append(n.attempts[r.URL.Host], a)
	n.mu.Unlock()
	if f.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if f.reset {
		return nil, fmt.Errorf("read: %w", syscall.ECONNRESET)
	}
	if f.header == nil {
		f.header = http.Header{}
	}
	return &http.Response{StatusCode: f.status, Header: f.header, Body: io.NopCloser(strings.NewReader(f.body)), Request: r}, nil
}

func (n *network) misbehave(host string, do func(attempt) fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[host] = do
}

func (n *network) seen(host string) []attempt {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.attempts[host])
}

func (n *network) taken(host string) []attempt {
	return slices.DeleteFunc(n.seen(host), func(a attempt) bool { return !a.taken })
}

// events lists what a host took, as "STATE fingerprint" in order, with what each
// message held in one line.
func (n *network) events(t *testing.T, host string) []string {
	t.Helper()
	var out []string
	for _, a := range n.taken(host) {
		var line []string
		for _, x := range a.message(t).Alerts {
			line = append(line, string(x.Status)+" "+x.Fingerprint)
		}
		out = append(out, strings.Join(line, ", "))
	}
	return out
}

// memoryDisk is a log in memory whose power can be cut.
type memoryDisk struct {
	mu      sync.Mutex
	content []byte
	// cut is asked before every call that writes, with what would be written; with
	// true the power is gone, and torn bytes of an append are there all the same.
	cut  func(b []byte) (torn int, gone bool)
	gone bool
}

var errPower = errors.New("the power is gone")

func (d *memoryDisk) read() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.content), nil
}

func (d *memoryDisk) append(b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return errPower
	}
	if d.cut != nil {
		if torn, gone := d.cut(b); gone {
			d.gone = true
			d.content = append(d.content, b[:torn]...)
			return errPower
		}
	}
	d.content = append(d.content, b...)
	return nil
}

func (d *memoryDisk) replace(b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone {
		return errPower
	}
	if d.cut != nil {
		if torn, gone := d.cut(b); gone {
			d.gone = true
			if torn == len(b) {
				d.content = bytes.Clone(b)
			}
			return errPower
		}
	}
	d.content = bytes.Clone(b)
	return nil
}

func (d *memoryDisk) close() error { return nil }

func (d *memoryDisk) bytes() []byte {
	b, _ := d.read()
	return b
}

func (d *memoryDisk) size() int { return len(d.bytes()) }

// hook makes a webhook receiver of a name; its host has the same.
func hook(name string) Receiver {
	return Receiver{Name: name, Kind: Webhook, URL: telemetry.NewSecret("http://" + name + "/hook")}
}

// settings are the defaults of the product with some receivers.
func settings(receivers ...Receiver) Config {
	return Config{
		Receivers: receivers, GroupBy: []string{"rule"}, Zone: "America/Sao_Paulo", Language: alerting.English,
		GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour,
	}
}

// rig is a dispatcher under test.
type rig struct {
	*Dispatcher
	t    *testing.T
	net  *network
	disk *memoryDisk
	log  *bytes.Buffer
}

func start(t *testing.T, c Config) *rig {
	t.Helper()
	r := &rig{t: t, net: newNetwork(), disk: &memoryDisk{}, log: &bytes.Buffer{}}
	r.open(c)
	return r
}

func (r *rig) open(c Config) {
	r.t.Helper()
	d, err := Open(c, Deps{disk: r.disk, transport: r.net, Logger: slog.New(slog.NewTextHandler(r.log, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Dispatcher = d
	d.Start()
}

func (r *rig) stop() {
	r.t.Helper()
	if err := r.Stop(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) tell(alerts ...alerting.Alert) {
	r.t.Helper()
	if err := r.Notify(r.t.Context(), alerts); err != nil {
		r.t.Fatal(err)
	}
}

// alert makes one that begins to fire now. Labels come in pairs.
func alert(fingerprint, rule string, severity alerting.Severity, labels ...string) alerting.Alert {
	a := alerting.Alert{
		Fingerprint: fingerprint, Rule: rule, Severity: severity, State: alerting.Firing, StartsAt: time.Now(), Value: 0.137,
		Labels: map[string]string{"alertname": rule, "severity": string(severity)},
		Texts: map[alerting.Language]alerting.Text{
			alerting.Portuguese: {Summary: "Taxa de erro acima de 10%", Description: "A taxa de erro está em 13,7 %."},
			alerting.English:    {Summary: "Error rate above 10%", Description: "The error rate is 13.7 %."},
		},
		GeneratorURL: "/prometheus/graph?rule=" + rule,
	}
	for i := 0; i+1 < len(labels); i += 2 {
		a.Labels[labels[i]] = labels[i+1]
	}
	return a
}

// ended is the alert's end, now.
func ended(a alerting.Alert) alerting.Alert {
	a.State, a.EndsAt = alerting.Resolved, time.Now()
	a.Labels = maps.Clone(a.Labels)
	return a
}
