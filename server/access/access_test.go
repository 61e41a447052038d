package access

import (
	"net/http"
	"testing"

	"treq/telemetry"
)

func set() *Tokens {
	s := telemetry.NewSecret
	return New(Token{s("in"), Ingest}, Token{s("out"), Read}, Token{s("both"), Ingest | Read}, Token{s("root"), Admin}, Token{s(""), Admin},
		Token{s("twice"), Ingest}, Token{s("twice"), Read})
}

func TestEveryTokenOpensItsScopesOnly(t *testing.T) {
	const none, wrong = telemetry.Unauthenticated, telemetry.Forbidden
	const ok = telemetry.Kind(200)
	tests := []struct {
		authorization, key  string
		ingest, read, admin telemetry.Kind
	}{
		{"", "", none, none, none},
		{"Bearer nope", "", none, none, none},
		{"Bearer ", "", none, none, none},
		{"Bearer i", "", none, none, none},
		{"Bearer inn", "", none, none, none},
		{"Basic in", "", none, none, none},
		{"in", "", none, none, none},
		{"Bearer in", "", ok, wrong, wrong},
		{"bearer  in ", "", ok, wrong, wrong},
		{"", "in", ok, wrong, wrong},
		{"Bearer out", "", wrong, ok, wrong},
		{"Bearer both", "", ok, ok, wrong},
		{"Bearer twice", "", ok, ok, wrong},
		{"Bearer root", "", ok, ok, ok},
		{"Bearer in", "out", ok, ok, wrong},
		{"Bearer nope", "in", ok, wrong, wrong},
	}
	tokens := set()
	for _, tt := range tests {
		h := http.Header{}
		h.Set("Authorization", tt.authorization)
		h.Set("X-Api-Key", tt.key)
		for scope, want := range map[Scope]telemetry.Kind{Ingest: tt.ingest, Read: tt.read, Admin: tt.admin} {
			caller, err := tokens.Authorize(scope, h)
			if (err == nil) != (want == ok) || err != nil && telemetry.KindOf(err) != want || (caller != 0) != (err == nil) {
				t.Errorf("%q, %q for %s: caller %d, %v", tt.authorization, tt.key, scope, caller, err)
			}
		}
	}
}

func TestACallerIsTheSameEverywhere(t *testing.T) {
	tokens := set()
	a, _ := tokens.Authorize(Ingest, http.Header{"X-Api-Key": {"both"}})
	b, _ := set().For(Read)(http.Header{"Authorization": {"Bearer both"}})
	c, _ := tokens.Authorize(Ingest, http.Header{"X-Api-Key": {"in"}})
	if a == 0 || a != b || a == c {
		t.Errorf("callers %d, %d, %d", a, b, c)
	}
}

func TestWithoutTokensNobodyIsAsked(t *testing.T) {
	s := telemetry.NewSecret
	for name, tt := range map[string]struct {
		tokens              *Tokens
		ingest, read, admin bool
	}{
		"zero value":   {&Tokens{}, false, false, false},
		"none":         {New(), false, false, false},
		"empty":        {New(Token{s(""), Ingest}), false, false, false},
		"sending only": {New(List(Ingest, s("a"))...), true, false, false},
		"reading only": {New(List(Read, s("a"))...), false, true, false},
		"admin only":   {New(List(Admin, s("a"))...), true, true, true},
	} {
		for scope, want := range map[Scope]bool{Ingest: tt.ingest, Read: tt.read, Admin: tt.admin} {
			if got := tt.tokens.Asks(scope); got != want {
				t.Errorf("%s: asks for %s = %v", name, scope, got)
			}
			if _, err := tt.tokens.Authorize(scope, http.Header{"X-Api-Key": {"any"}}); (err != nil) != want {
				t.Errorf("%s: %s with any key: %v", name, scope, err)
			}
		}
	}
}

func TestReplace(t *testing.T) {
	tokens := set()
	h := http.Header{"X-Api-Key": {"in"}}
	tokens.Replace(Token{telemetry.NewSecret("new"), Ingest})
	if _, err := tokens.Authorize(Ingest, h); telemetry.KindOf(err) != telemetry.Unauthenticated {
		t.Errorf("a token that is gone: %v", err)
	}
	if _, err := tokens.Authorize(Ingest, http.Header{"X-Api-Key": {"new"}}); err != nil {
		t.Errorf("a new token: %v", err)
	}
}

func TestAuthorizeAllocatesNothing(t *testing.T) {
	tokens := set()
	h := http.Header{"Authorization": {"Bearer in"}}
	if n := testing.AllocsPerRun(100, func() { _, _ = tokens.Authorize(Ingest, h) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
