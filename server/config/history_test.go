package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
)

func TestHistory(t *testing.T) {
	l := load(t, config.Sources{
		Env: environment(map[string]string{"TREQ_HISTORY_TOKEN": "canary", "TREQ_HISTORY_REMOTE_WRITE_URL": "https://b/api/v1/write"}),
		File: write(t, `
history:
  step: 30s
  max_bytes: 64MiB
  url: http://prometheus:9090/base
  headers: { X-Scope-OrgID: tenant }
  remote_write: { headers: { Authorization: "Basic ${USER_AND_PASSWORD:-canary}" } }
`),
	})
	h := l.Config.History
	if time.Duration(h.Step) != 30*time.Second || h.MaxBytes != 64<<20 || !h.Enabled || time.Duration(h.Keep) != 15*24*time.Hour {
		t.Errorf("got %+v", h)
	}
	if h.Token.Reveal() != "canary" || h.Headers["X-Scope-OrgID"].Reveal() != "tenant" || h.RemoteWrite.Headers["Authorization"].Reveal() != "Basic canary" {
		t.Error("a credential was not read")
	}
	var shown strings.Builder
	if err := l.Show(&shown); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(shown.String(), "canary") {
		t.Errorf("a secret is shown:\n%s", shown.String())
	}
}

func TestHistoryProblems(t *testing.T) {
	file := write(t, `history:
  enabled: false
  step: 1h
  keep: 1h
  max_bytes: 1MiB
  query_timeout: 1ms
  query_max_samples: 1
  url: prometheus:9090
  token: "a b"
  headers: { "a b": x }
  tls: { cert: c.pem }
  remote_write:
    url: http://user:canary@host/write
    queue_bytes: 1
    headers: { A: "x\ny" }
`)
	_, err := config.Load(config.Sources{File: file, Env: environment(nil)})
	if err == nil {
		t.Fatal("Load found nothing wrong")
	}
	want := `FILE:3: history.step: must be within 1s and 10m
FILE:4: history.keep: must be at least 2h, the shortest block
FILE:5: history.max_bytes: must be at least 16MiB
FILE:6: history.query_timeout: must be at least 1s
FILE:7: history.query_max_samples: must be at least 10000
FILE:8: history.url: needs history.enabled: rules keep what they know here
FILE:8: history.url: is no address: want http://host:port or https://host, with a path where the server needs one
FILE:9: history.token: must be printable ASCII without spaces, as a header carries it
FILE:10: history.headers: holds a name that no header can have
FILE:11: history.tls.cert: needs its key, and the key its certificate
FILE:13: history.remote_write.url: needs history.enabled: nothing is sampled without it
FILE:13: history.remote_write.url: holds a password: put it into history.remote_write.token or history.remote_write.headers
FILE:14: history.remote_write.queue_bytes: must be at least 1MiB
FILE:15: history.remote_write.headers.A: holds a line break, which no header can carry`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), file, "FILE")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
