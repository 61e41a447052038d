package journal

import "time"

const (
	// retellAfter is how often at most a time of refusals is told. On a disk that is
	// almost full small appends fit between large ones that do not.
	retellAfter = time.Minute
	// calmFor is how long nothing may have been refused before that time is over.
	calmFor = 5 * time.Second
)

// refusals decides what of refusing and its end is worth a line in the log. It is
// guarded by Journal.mu.
type refusals struct {
	lasting bool
	told    bool // that it began
	last    time.Time
	toldAt  time.Time
}

// begin notes a refusal and tells whether to say so.
func (r *refusals) begin(now time.Time) bool {
	r.last = now
	if r.lasting {
		return false
	}
	r.lasting = true
	if !r.toldAt.IsZero() && now.Sub(r.toldAt) < retellAfter {
		return false
	}
	r.told, r.toldAt = true, now
	return true
}

// end notes a success and tells whether to say so.
func (r *refusals) end(now time.Time) bool {
	if !r.lasting || now.Sub(r.last) < calmFor {
		return false
	}
	tell := r.told
	r.lasting, r.told = false, false
	return tell
}
