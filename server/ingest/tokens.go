package ingest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/http"
	"strings"

	"treq/telemetry"
)

// Tokens is the set of tokens that open the doors, kept as hashes. The zero
// value holds none and lets everybody in, with any key or none, as clients that
// think they talk to LangSmith send their own.
type Tokens struct{ digests [][sha256.Size]byte }

// NewTokens makes a set; empty secrets are left out.
func NewTokens(secrets ...telemetry.Secret) Tokens {
	var t Tokens
	for _, s := range secrets {
		if !s.IsZero() {
			t.digests = append(t.digests, sha256.Sum256([]byte(s.Reveal())))
		}
	}
	return t
}

// Authorize looks for a token in Authorization (Bearer) and in x-api-key. The
// scope stands for the token that opened the door, the same over restarts, 0
// without tokens; the error is Unauthenticated. Every token is compared, in a time that says nothing about them.
func (t Tokens) Authorize(h http.Header) (scope uint64, err error) {
	if len(t.digests) == 0 {
		return 0, nil
	}
	shown := false
	for _, key := range [...]string{bearer(h.Get("Authorization")), h.Get("X-Api-Key")} {
		if key == "" {
			continue
		}
		shown = true
		digest := sha256.Sum256([]byte(key))
		for i := range t.digests {
			if subtle.ConstantTimeCompare(digest[:], t.digests[i][:]) == 1 {
				scope = binary.LittleEndian.Uint64(digest[:]) | 1
			}
		}
	}
	switch {
	case scope != 0:
		return scope, nil
	case shown:
		return 0, telemetry.Errorf(telemetry.Unauthenticated, "the token is not known here")
	}
	return 0, telemetry.Errorf(telemetry.Unauthenticated, "a token is needed: Authorization: Bearer TOKEN, or x-api-key: TOKEN")
}

func bearer(v string) string {
	scheme, token, ok := strings.Cut(v, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
