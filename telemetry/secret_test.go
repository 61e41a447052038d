package telemetry_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"treq/telemetry"
)

// No verb of fmt, and nothing that encodes, shows a secret, alone or within something.
func TestSecretsNeverPrint(t *testing.T) {
	type holder struct{ Key telemetry.Secret }
	secret := telemetry.NewSecret("canary")
	var text strings.Builder
	for verb := 'A'; verb <= 'z'; verb++ {
		if verb == 'p' || verb == 'w' {
			continue // fmt asks no value how these are printed, and vet refuses them
		}
		for _, flags := range []string{"", "+", "#", "10", "-10.2"} {
			for _, v := range []any{secret, &secret, holder{secret}, []telemetry.Secret{secret}, map[string]telemetry.Secret{"k": secret}} {
				fmt.Fprintf(&text, "%"+flags+string(verb)+"\n", v)
			}
		}
	}
	encoded, err := json.Marshal(holder{secret})
	if err != nil {
		t.Fatal(err)
	}
	text.Write(encoded)
	slog.New(slog.NewJSONHandler(&text, nil)).Info("", "secret", secret, "holder", holder{secret})
	if i := strings.Index(text.String(), "canary"); i >= 0 {
		t.Errorf("shown: %.80q", text.String()[max(0, i-40):])
	}
	if i := strings.Index(text.String(), fmt.Sprintf("%x", "canary")); i >= 0 {
		t.Errorf("shown: %.80q", text.String()[max(0, i-40):])
	}
	if got := fmt.Sprintf("%v %q %d|%s", secret, secret, secret, telemetry.Secret{}); got != `[REDACTED] "[REDACTED]" [REDACTED]|` {
		t.Error(got)
	}
}
