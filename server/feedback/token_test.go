package feedback

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

func TestATokenIsForOneRunAndAWhile(t *testing.T) {
	now := noon
	tokens := NewTokens(bytes.Repeat([]byte{7}, 32), func() time.Time { return now })
	token, expires := tokens.Mint("0AF7651916cd43dd8448eb211c80319c", 0)
	if expires != noon.Add(DefaultLife) {
		t.Errorf("it ends at %s", expires)
	}
	for range 2 {
		if run, err := tokens.Check(token); err != nil || run != "0af76519-16cd-43dd-8448-eb211c80319c" {
			t.Errorf("%q %v", run, err)
		}
		// Another process with the same key knows it too.
		tokens = NewTokens(bytes.Repeat([]byte{7}, 32), func() time.Time { return now })
	}
	if _, ends := tokens.Mint("r", 365*24*time.Hour); ends != noon.Add(LongestLife) {
		t.Errorf("a long one ends at %s", ends)
	}
	now = expires
	if _, err := tokens.Check(token); telemetry.KindOf(err) != telemetry.Unauthenticated {
		t.Errorf("at its end: %v", err)
	}
}

func TestATokenCannotBeAltered(t *testing.T) {
	tokens := NewTokens(bytes.Repeat([]byte{7}, 32), nil)
	token, _ := tokens.Mint("run", 0)
	other, _ := tokens.Mint("another", 0)
	foreign, _ := NewTokens(bytes.Repeat([]byte{8}, 32), nil).Mint("run", 0)
	head, _, _ := strings.Cut(token, ".")
	_, seal, _ := strings.Cut(other, ".")
	wrong := []string{"", "treqfb1_", "treqfb1_.", head, head + "." + seal, head + ".", foreign, strings.TrimPrefix(token, "treqfb1_"), token + "A", token + "\n"}
	for i := range token {
		altered := []byte(token)
		altered[i] ^= 1
		wrong = append(wrong, string(altered))
	}
	for _, w := range wrong {
		if run, err := tokens.Check(w); telemetry.KindOf(err) != telemetry.Unauthenticated {
			t.Errorf("%q opens %q: %v", w, run, err)
		}
	}
}

func TestATokenIsNotGoodForever(t *testing.T) {
	tokens := NewTokens(bytes.Repeat([]byte{7}, 32), nil)
	token, _ := tokens.Mint("run", 0)
	for i := range mostUses {
		if _, err := tokens.Use(token); err != nil {
			t.Fatalf("use %d: %v", i, err)
		}
	}
	if _, err := tokens.Use(token); telemetry.KindOf(err) != telemetry.Overloaded {
		t.Errorf("%v", err)
	}
	if _, err := tokens.Use(token[:len(token)-1]); telemetry.KindOf(err) != telemetry.Unauthenticated {
		t.Errorf("%v", err)
	}
}

func TestWhereATokenIsShown(t *testing.T) {
	for _, c := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"X-Feedback-Token": {" t "}}, "t"},
		{http.Header{"Authorization": {"Bearer treqfb1_x.y"}}, "treqfb1_x.y"},
		{http.Header{"Authorization": {"bearer  treqfb1_x.y"}}, "treqfb1_x.y"},
		{http.Header{"Authorization": {"Bearer an-ingest-token"}}, ""},
		{http.Header{"Authorization": {"Basic treqfb1_x.y"}}, ""},
		{http.Header{"X-Api-Key": {"treqfb1_x.y"}}, ""},
		{nil, ""},
	} {
		if got := Shown(c.header); got != c.want {
			t.Errorf("%v shows %q", c.header, got)
		}
	}
}
