package config_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
	"treq/server/notify"
)

func TestNotifications(t *testing.T) {
	file := write(t, `
notifications:
  quiet_hours: ["mon-fri 22:00-07:00"]
  repeat_interval: 1d
  receivers:
    - {name: team, kind: slack, url: "https://hooks.example.com/${TOKEN}", timeout: 3s}
  routes:
    - {match: {rule: "~error.*"}, min_severity: warning, receivers: [team], group_wait: 1m, continue: true}
  silences:
    - {match: {service: staging}, until: 2026-12-01T00:00:00-03:00}
`)
	c := load(t, config.Sources{
		File:  file,
		Env:   environment(map[string]string{"TOKEN": "canary", "TREQ_NOTIFICATIONS_LANGUAGE": "en"}),
		Flags: map[string]string{"notifications-group-by": "rule,service"},
	}).Config.Notifications.Notify()
	if got := c.QuietHours[0].String(); got != "mon-fri 22:00-07:00" {
		t.Errorf("quiet_hours = %s", got)
	}
	if got := c.Receivers[0]; got.URL.Reveal() != "https://hooks.example.com/canary" || got.Timeout != 3*time.Second {
		t.Errorf("receiver = %+v", got)
	}
	if diff := cmp.Diff([]notify.Route{{
		Match: notify.Match{"rule": "~error.*"}, MinSeverity: "warning", Receivers: []string{"team"}, GroupWait: time.Minute, Continue: true,
	}}, c.Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if want := time.Date(2026, 12, 1, 3, 0, 0, 0, time.UTC); !c.Silences[0].Until.Equal(want) {
		t.Errorf("until = %v, want %v", c.Silences[0].Until, want)
	}
	if c.RepeatInterval != 24*time.Hour || c.Language != "en" || c.Zone != "America/Sao_Paulo" || cmp.Diff([]string{"rule", "service"}, c.GroupBy) != "" {
		t.Errorf("general settings = %v %v %v %v", c.RepeatInterval, c.Language, c.Zone, c.GroupBy)
	}
}

func TestNotificationsAreChecked(t *testing.T) {
	file := write(t, `notifications:
  time_zone: Brasil
  receivers:
    - name: team
      kind: slack
      url: ftp://canary
    - name: metadata
      kind: webhook
      url: http://169.254.169.254/canary
    - {name: bot, kind: telegram, chat: "1"}
    - {name: long, kind: shoutrrr, url: "nosuch://canary@host"}
    - {name: team, kind: discord, url: "https://x", secret: canary}
  routes:
    - {receivers: [nobody]}
  silences:
    - {until: 2026-12-01T00:00:00Z}
`)
	_, err := config.Load(config.Sources{File: file, Env: environment(nil)})
	if err == nil {
		t.Fatal("loaded")
	}
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("the problems show a secret:\n%v", err)
	}
	for _, want := range []string{
		":2: notifications.time_zone: ", ":6: notifications.receivers[0].url: ", ":9: notifications.receivers[1].url: 169.254.169.254 is",
		":10: notifications.receivers[2].token: is missing", ":11: notifications.receivers[3].url: shoutrrr knows no service",
		":12: notifications.receivers[4].name: is there twice", ":12: notifications.receivers[4].secret: is nothing that kind discord has",
		":14: notifications.routes[0].receivers[0]: ", ":16: notifications.silences[0].match: is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the problems lack %q:\n%v", want, err)
		}
	}
}

func TestReferenceOfReceivers(t *testing.T) {
	data, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "## Notifications")
	for f := range reflect.TypeFor[notify.Receiver]().Fields() {
		if key := f.Tag.Get("yaml"); !strings.Contains(text, "`"+key+"`") {
			t.Errorf("%s does not describe the receivers' key %s", reference, key)
		}
	}
}
