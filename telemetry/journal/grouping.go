package journal

import "time"

const (
	// longestWait bounds how long a commit waits for others to join it.
	longestWait = 4 * time.Millisecond
	// comeBack is the time within which a client that has more sends it.
	comeBack = 20 * time.Millisecond
	// mostSkipped bounds the commits that do not wait after waits in vain.
	mostSkipped = 1023
)

// grouping decides whether a commit waits for the requests that are about to come.
// Clients that have more to send come back as soon as they are answered, each a little
// later than the other: whoever commits at once has them in two groups that take turns
// for ever, at twice the commits, and twice as often wakes everybody who reads. The wait
// is for as many as were there before, and for twice the time that a commit takes, so that
// what is cheap is not waited for; a client that comes alone is never held up, and after a
// wait in vain twice as many commits as before go without. It is what PostgreSQL calls
// commit_delay and commit_siblings. The zero value waits for nobody.
type grouping struct {
	expected int           // who was answered with the last commit or waited behind it
	at       time.Time     // of the last commit's end
	took     time.Duration // a commit, on average
	skips    int           // commits to go without a wait
	backoff  int           // what skips becomes with the next wait in vain
}

// wait gives how long a commit that begins now with some requests waits for more, 0
// for not at all.
func (g *grouping) wait(now time.Time, waiting int) time.Duration {
	if waiting == 0 || waiting >= g.expected || now.Sub(g.at) > comeBack {
		return 0
	}
	if g.skips > 0 {
		g.skips--
		return 0
	}
	return min(2*g.took, longestWait)
}

// joined notes whether those who were waited for came in time.
func (g *grouping) joined(all bool) {
	if all {
		g.backoff /= 2
		return
	}
	g.backoff = min(2*g.backoff+1, mostSkipped)
	g.skips = g.backoff
}

// committed notes a commit's end: how many it answered, who waits already, and how
// long it took.
func (g *grouping) committed(now time.Time, answered, waiting int, took time.Duration) {
	g.expected, g.at = answered+waiting, now
	g.took += (took - g.took) / 8
}
