package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/http"
	"strings"
	"sync/atomic"

	"treq/telemetry"
)

// Scope is what a token opens; scopes add up.
type Scope uint8

const (
	// Ingest sends telemetry and votes: OTLP over HTTP and gRPC, and every post that records something.
	Ingest Scope = 1 << iota
	// Read sees single runs, and the numbers where those ask for a token.
	Read
	// Admin does everything, and alone what destroys.
	Admin
)

// String names the first scope of s.
func (s Scope) String() string {
	switch {
	case s&Ingest != 0:
		return "ingest"
	case s&Read != 0:
		return "read"
	case s&Admin != 0:
		return "admin"
	}
	return "no"
}

// Token is a secret and the scopes that it opens.
type Token struct {
	Secret telemetry.Secret
	Scopes Scope
}

// List gives each of the secrets the same scopes.
func List(scopes Scope, secrets ...telemetry.Secret) []Token {
	tokens := make([]Token, len(secrets))
	for i, s := range secrets {
		tokens[i] = Token{s, scopes}
	}
	return tokens
}

// Tokens is a set of tokens. It is safe for concurrent use; the zero value holds
// none, and so lets everybody in.
type Tokens struct{ set atomic.Pointer[[]entry] }

type entry struct {
	digest [sha256.Size]byte
	scopes Scope
}

// New makes a set; empty secrets are left out.
func New(tokens ...Token) *Tokens {
	t := &Tokens{}
	t.Replace(tokens...)
	return t
}

// Replace puts these tokens in the place of all: from then on no request enters
// with one that is gone. Requests that have entered stay.
func (t *Tokens) Replace(tokens ...Token) {
	var set []entry
	for _, token := range tokens {
		if !token.Secret.IsZero() {
			set = append(set, entry{sha256.Sum256([]byte(token.Secret.Reveal())), token.Scopes})
		}
	}
	t.set.Store(&set)
}

func (t *Tokens) entries() []entry {
	if set := t.set.Load(); set != nil {
		return *set
	}
	return nil
}

// Asks tells whether a token is asked for where s is needed: whether there is one
// that opens it. A set with tokens for sending only leaves reading as it is.
func (t *Tokens) Asks(s Scope) bool { return asks(t.entries(), s) }

func asks(set []entry, s Scope) bool {
	for _, e := range set {
		if e.scopes&(s|Admin) != 0 {
			return true
		}
	}
	return false
}

// Authorize looks for a token of the scope s in Authorization (Bearer) and in
// x-api-key. The caller stands for the token, the same over restarts; it is 0
// where none is asked for, as clients that think they talk to LangSmith send
// their own key. The error is Unauthenticated without a known token, Forbidden
// with one of other scopes. Every token is compared, in a time that says nothing about them.
func (t *Tokens) Authorize(s Scope, h http.Header) (caller uint64, err error) {
	set := t.entries()
	if !asks(set, s) {
		return 0, nil
	}
	shown, known := false, false
	for _, key := range [...]string{bearer(h.Get("Authorization")), h.Get("X-Api-Key")} {
		if key == "" {
			continue
		}
		shown = true
		digest := sha256.Sum256([]byte(key))
		for i := range set {
			if subtle.ConstantTimeCompare(digest[:], set[i].digest[:]) == 1 {
				known = true
				if set[i].scopes&(s|Admin) != 0 {
					caller = binary.LittleEndian.Uint64(digest[:]) | 1
				}
			}
		}
	}
	switch {
	case caller != 0:
		return caller, nil
	case known:
		return 0, telemetry.Errorf(telemetry.Forbidden, "the token is known, but not for this: a token of the scope %s is needed", s)
	case shown:
		return 0, telemetry.Errorf(telemetry.Unauthenticated, "the token is not known here")
	}
	return 0, telemetry.Errorf(telemetry.Unauthenticated, "a token is needed: Authorization: Bearer TOKEN, or x-api-key: TOKEN")
}

// For gives Authorize for one scope.
func (t *Tokens) For(s Scope) func(http.Header) (caller uint64, err error) {
	return func(h http.Header) (uint64, error) { return t.Authorize(s, h) }
}

func bearer(v string) string {
	scheme, token, ok := strings.Cut(v, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
