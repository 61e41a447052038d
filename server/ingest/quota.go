package ingest

import (
	"sync"
	"time"

	"treq/telemetry"
)

// burst is for how long a caller may save up what it does not send.
const burst = 10 * time.Second

// quota is how many bytes, as they come, each token may send in a second, over a
// while: who has saved up may send more at once, and a request that is let in is
// taken whole. All that come without a token share one. Safe for concurrent use.
type quota struct {
	now func() time.Time

	mu   sync.Mutex
	rate float64 // bytes a second; 0: no limit
	// accounts are by token. Only tokens that open a door get one, so that they are few.
	accounts map[uint64]*account
}

// account is what one caller has left at a time; below 0 it has to wait.
type account struct {
	left float64
	at   time.Time
}

// set changes the rate; 0 and less lifts the limit.
func (q *quota) set(bytesPerSecond int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rate, q.accounts = max(0, float64(bytesPerSecond)), nil
}

// check tells whether a caller may send now: else an error of kind Overloaded that
// says when it may.
func (q *quota) check(caller uint64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rate == 0 {
		return nil
	}
	if a := q.account(caller); a.left <= 0 {
		wait := time.Duration((1 - a.left) / q.rate * float64(time.Second))
		return &telemetry.Error{
			Kind: telemetry.Overloaded, Message: "this token sends more bytes a second than it may; send the request again",
			RetryAfter: max(wait, time.Second),
		}
	}
	return nil
}

// charge takes what came off a caller's account.
func (q *quota) charge(caller uint64, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.rate > 0 {
		q.account(caller).left -= float64(bytes)
	}
}

// account gives a caller's account as it stands now. mu is held.
func (q *quota) account(caller uint64) *account {
	now, most := q.now(), q.rate*burst.Seconds()
	a := q.accounts[caller]
	if a == nil {
		if q.accounts == nil {
			q.accounts = make(map[uint64]*account)
		}
		a = &account{left: most, at: now}
		q.accounts[caller] = a
	}
	a.left = min(most, a.left+q.rate*max(0, now.Sub(a.at).Seconds()))
	a.at = now
	return a
}
