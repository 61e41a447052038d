package ingest

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"treq/server/access"
	"treq/telemetry"
)

// One token that sends too much is told to wait for as long as it has to, and the
// others are served as before.
func TestQuotaIsByToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := spans(200)
		rate := int64(len(body)) // one request a second, ten saved up
		tokens := access.New(access.List(access.Ingest, telemetry.NewSecret("noisy-token-123456"), telemetry.NewSecret("quiet-token-123456"))...)
		i := New(Options{Log: &fakeLog{}, Tokens: tokens, TokenBytesPerSecond: rate})
		post := func(token string) (int, string) {
			w := call(i, "/v1/traces", body, "Content-Type", protobuf, "Authorization", "Bearer "+token)
			return w.Code, w.Header().Get("Retry-After")
		}
		for n := range 10 {
			if code, _ := post("noisy-token-123456"); code != http.StatusOK {
				t.Fatalf("request %d: %d", n, code)
			}
		}
		for range 3 {
			code, after := post("noisy-token-123456")
			if seconds, err := strconv.Atoi(after); code != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 2 {
				t.Errorf("with nothing left: %d, Retry-After %q", code, after)
			}
			if code, _ := post("quiet-token-123456"); code != http.StatusOK {
				t.Errorf("another token: %d", code)
			}
		}
		time.Sleep(1500 * time.Millisecond)
		if code, _ := post("noisy-token-123456"); code != http.StatusOK {
			t.Errorf("after waiting: %d", code)
		}
		if code, _ := post("noisy-token-123456"); code != http.StatusOK {
			t.Errorf("a half is enough to be let in: %d", code)
		}
		if code, _ := post("noisy-token-123456"); code != http.StatusTooManyRequests {
			t.Errorf("with a debt: %d", code)
		}
		if n := i.Stats()[0].Refused["no_room"]; n != 4 {
			t.Errorf("%d refusals are counted, want 4", n)
		}
		time.Sleep(time.Hour)
		for n := range 11 {
			code, _ := post("noisy-token-123456")
			if want := n < 10; want != (code == http.StatusOK) {
				t.Errorf("request %d after an hour: %d", n, code)
			}
		}
		i.Quota(0)
		if code, _ := post("noisy-token-123456"); code != http.StatusOK {
			t.Errorf("without a limit: %d", code)
		}
	})
}
