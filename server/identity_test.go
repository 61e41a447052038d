package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

func TestIdentityIsKeptAndItsDamageNoReasonNotToStart(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	first, err := loadIdentity(dir, log)
	if err != nil || first.Instance == "" || first.Seed == 0 {
		t.Fatalf("a new identity is %+v, %v", first, err)
	}
	if again, err := loadIdentity(dir, log); err != nil || again != first {
		t.Errorf("read again it is %+v, %v; want %+v", again, err, first)
	}
	path := filepath.Join(dir, "identity.json")
	for _, damage := range []string{"", "{", "null", `{"instance":""}`, "\x00\x00"} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		made, err := loadIdentity(dir, log)
		if err != nil || made.Instance == "" || made == first {
			t.Errorf("damaged to %q: %+v, %v", damage, made, err)
		}
		if again, err := loadIdentity(dir, log); err != nil || again != made {
			t.Errorf("read again after %q: %+v, %v", damage, again, err)
		}
	}
}

func TestAnIdentityOfAnEarlierVersionGetsAKey(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	if err := os.WriteFile(filepath.Join(dir, "identity.json"), []byte(`{"instance":"i","seed":7}`), 0o600); err != nil {
		t.Fatal(err)
	}
	first, err := loadIdentity(dir, log)
	if err != nil || first.Instance != "i" || first.Seed != 7 || len(first.FeedbackKey) != 2*feedbackKeyBytes {
		t.Errorf("%+v, %v", first, err)
	}
	if again, err := loadIdentity(dir, log); err != nil || again != first {
		t.Errorf("read again it is %+v, %v; want %+v", again, err, first)
	}
}
