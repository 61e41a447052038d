package export

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However a configuration is printed, by itself or within something, nothing of
// its endpoint that may be secret is.
func TestPrintingShowsNoSecret(t *testing.T) {
	for _, endpoint := range []string{
		"https://canary:canary@host.test/v1/traces", "https://host.test/v1/traces?key=canary", "https://host.test/v1/traces#canary",
		"https://canary@host.test", "://canary", "canary:canary@host.test", "https://host.test:canary/",
	} {
		c := Config{Name: "sink", Endpoint: endpoint, APIKey: secret("canary"), Headers: map[string]secretValue{"X-Key": secret("canary")}}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("a sink", "config", c, "all", []Config{c}, "pointer", &c)
		text := log.String() + fmt.Sprint(c, &c, []Config{c}, map[string]Config{"sink": c})
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			text += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, &c)
		}
		if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", "canary")) {
			t.Errorf("%s: %s", endpoint, text)
		}
		if !strings.Contains(text, "Name:sink") {
			t.Errorf("nothing is said at all: %s", text)
		}
	}
	if text := fmt.Sprintf("%+v", Config{Endpoint: "https://host.test/v1/traces"}); !strings.Contains(text, "Endpoint:https://host.test/v1/traces") {
		t.Errorf("an endpoint without secrets is hidden: %s", text)
	}
}
