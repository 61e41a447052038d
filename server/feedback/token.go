package feedback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"strings"
	"sync"
	"time"

	"treq/telemetry"
	"treq/telemetry/judgement"
)

// The bounds of a token's life.
const (
	// DefaultLife is how long a token lasts when nobody says.
	DefaultLife = time.Hour
	// LongestLife is how long one may last.
	LongestLife = 7 * 24 * time.Hour
)

const (
	// tokenPrefix tells a token from the keys that stand in the same header, and the
	// versions of tokens apart.
	tokenPrefix = "treqfb1_"
	// mostUses bounds the judgements of one token: people change their minds, but
	// not without end.
	mostUses = 50
	// mostCounted bounds the tokens whose uses are counted.
	mostCounted = 100_000
	// TokenHeader is where a page shows its token, if not as a bearer's.
	TokenHeader = "X-Feedback-Token"
)

// Tokens makes and checks tokens that let their bearer judge one run for a while,
// and nothing else. A token holds its run and its end, sealed with the key: nothing
// is kept of it. Safe for concurrent use.
type Tokens struct {
	key []byte
	now func() time.Time

	mu    sync.Mutex
	uses  map[[sha256.Size]byte]int
	queue [][sha256.Size]byte
}

// NewTokens makes Tokens that seal with a key of at least 32 secret bytes, the same
// over restarts. now is time.Now when nil.
func NewTokens(key []byte, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{key: key, now: now, uses: make(map[[sha256.Size]byte]int)}
}

// Mint makes a token for a run that lasts for a time of at most LongestLife;
// DefaultLife when 0.
func (t *Tokens) Mint(run string, life time.Duration) (token string, expires time.Time) {
	if life == 0 {
		life = DefaultLife
	}
	expires = t.now().Add(min(life, LongestLife)).UTC().Truncate(time.Second)
	payload := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix()))
	payload = append(payload, judgement.Canonical(run)...)
	encode := base64.RawURLEncoding.EncodeToString
	seal := t.seal(payload)
	return tokenPrefix + encode(payload) + "." + encode(seal[:]), expires
}

func (t *Tokens) seal(payload []byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte(tokenPrefix))
	h.Write(payload)
	h.Sum(sum[:0])
	return sum
}

// Shown gives the token that a request shows, "" if it shows none. A token in an
// address would stand in logs and histories, so it is not looked for there.
func Shown(h http.Header) string {
	if token := strings.TrimSpace(h.Get(TokenHeader)); token != "" {
		return token
	}
	scheme, token, ok := strings.Cut(h.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); ok && strings.EqualFold(scheme, "Bearer") && strings.HasPrefix(token, tokenPrefix) {
		return token
	}
	return ""
}

var errToken = telemetry.Errorf(telemetry.Unauthenticated, "the feedback token is not one of this service's")

// Check gives the run that a token is for. The error is of kind Unauthenticated for
// a token that was not made with this key, or has ended. It takes the same time for
// every token that is wrong.
func (t *Tokens) Check(token string) (run string, err error) {
	run, _, err = t.open(token)
	return run, err
}

// Use is Check for a request that records something. A token that was used too
// often gives an error of kind Overloaded.
func (t *Tokens) Use(token string) (run string, err error) {
	run, seal, err := t.open(token)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, known := t.uses[seal]
	if n == mostUses {
		return "", telemetry.Errorf(telemetry.Overloaded, "this feedback token was used %d times; that is all it is good for", mostUses)
	}
	t.uses[seal] = n + 1
	if !known {
		if t.queue = append(t.queue, seal); len(t.queue) > mostCounted {
			delete(t.uses, t.queue[0])
			t.queue = t.queue[1:]
		}
	}
	return run, nil
}

func (t *Tokens) open(token string) (run string, seal [sha256.Size]byte, err error) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	first, second, cut := strings.Cut(text, ".")
	payload, bad1 := base64.RawURLEncoding.Strict().DecodeString(first)
	told, bad2 := base64.RawURLEncoding.Strict().DecodeString(second)
	seal = t.seal(payload)
	// The decoder passes over ends of lines.
	broken := strings.ContainsAny(text, "\r\n")
	if !hmac.Equal(told, seal[:]) || !ok || !cut || broken || bad1 != nil || bad2 != nil || len(payload) < 8 {
		return "", seal, errToken
	}
	if ends := time.Unix(int64(binary.BigEndian.Uint64(payload)), 0); !t.now().Before(ends) {
		return "", seal, telemetry.Errorf(telemetry.Unauthenticated, "the feedback token ended at %s", ends.UTC().Format(time.RFC3339))
	}
	return string(payload[8:]), seal, nil
}
