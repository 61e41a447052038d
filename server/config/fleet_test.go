package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
)

func TestFleet(t *testing.T) {
	l := load(t, config.Sources{Env: environment(map[string]string{
		"TREQ_SCOPE": "Fleet", "TREQ_HISTORY_URL": "http://prometheus:9090", "TREQ_FLEET_PEERS": "http://a:8002, https://b",
		"TREQ_FLEET_TOKEN": "canary", "TREQ_FLEET_DELIVER_ALERTS": "false",
	})})
	f := l.Config.Fleet
	if l.Config.Scope != config.ScopeFleet || f.DeliverAlerts || f.Token.Reveal() != "canary" || time.Duration(f.Timeout) != 3*time.Second {
		t.Errorf("got %v %+v", l.Config.Scope, f)
	}
	if diff := cmp.Diff([]string{"http://a:8002", "https://b"}, f.Peers); diff != "" {
		t.Error(diff)
	}
}

func TestFleetProblems(t *testing.T) {
	file := write(t, `scope: fleet
fleet:
  peers: [ "a:8002", "http://user:canary@b" ]
  token: "a b"
  timeout: 1m
`)
	_, err := config.Load(config.Sources{File: file, Env: environment(nil)})
	if err == nil {
		t.Fatal("Load found nothing wrong")
	}
	want := `FILE:1: scope: fleet needs history.url: the numbers of all replicas are read there
FILE:3: fleet.peers[0]: is no address: want http://host:port or https://host
FILE:3: fleet.peers[1]: holds a password: put it into fleet.token
FILE:4: fleet.token: must be printable ASCII without spaces, as a header carries it
FILE:5: fleet.timeout: must be within 100ms and 30s`
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), file, "FILE")); diff != "" {
		t.Error(diff)
	}
}
