package journal

import (
	"testing"
	"time"
)

// A disk that takes small appends and refuses large ones is told once a minute, and
// its end once it is one.
func TestRefusalsAreToldSeldom(t *testing.T) {
	var r refusals
	now := time.Unix(1e9, 0)
	if r.end(now) {
		t.Error("an end without a beginning")
	}
	began, ended := 0, 0
	for range 3 * 60 * 10 { // three minutes of both, ten times a second
		now = now.Add(50 * time.Millisecond)
		if r.begin(now) {
			began++
		}
		now = now.Add(50 * time.Millisecond)
		if r.end(now) {
			ended++
		}
	}
	if began != 1 || ended != 0 {
		t.Errorf("told %d times that it began and %d times that it ended, want 1 and 0", began, ended)
	}
	now = now.Add(calmFor)
	if !r.end(now) || r.end(now) {
		t.Error("the end is told once")
	}
	// Times of refusals that are short follow each other.
	began, ended = 0, 0
	for range 18 { // three minutes of them
		if r.begin(now) {
			began++
		}
		now = now.Add(10 * time.Second)
		if r.end(now) {
			ended++
		}
	}
	if began != 3 || ended != 3 {
		t.Errorf("told %d times that it began and %d times that it ended, want 3 and 3", began, ended)
	}
}
