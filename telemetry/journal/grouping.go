package journal

import "time"

const (
	// longestWait bounds how long a commit waits for others to join it.
	longestWait = 8 * time.Millisecond
	// comeBack is the time within which a client that has more sends it.
	comeBack = 20 * time.Millisecond
	// mostVain bounds what is remembered of waits in vain: after the first none is tried
	// for as long again, after each further one for four times that.
	mostVain = 5
)

// grouping decides whether a commit waits for the requests that are about to come.
// Clients that have more to send come back as soon as they are answered, each a little
// later than the other: whoever commits at once has them in two groups that take turns
// for ever, at twice the commits, and twice as often wakes everybody who reads. The wait
// is for as many as were there before, and for twice the time that a commit takes, so that
// what is cheap is not waited for. A client that comes alone is never held up, and waits
// in vain become rare. It is what PostgreSQL calls commit_delay and commit_siblings. The
// zero value waits for nobody.
type grouping struct {
	expected int           // who was answered with the last commit or waited behind it
	at       time.Time     // of the last commit's end
	took     time.Duration // a commit, on average
	rests    time.Time     // until then no wait is tried
	vain     int           // waits in vain, less those that were not
}

// wait gives how long a commit that begins now with some requests waits for more, 0
// for not at all.
func (g *grouping) wait(now time.Time, waiting int) time.Duration {
	if waiting == 0 || waiting >= g.expected || now.Sub(g.at) > comeBack || now.Before(g.rests) {
		return 0
	}
	return min(2*g.took, longestWait)
}

// joined notes that those who were waited for came in time.
func (g *grouping) joined() { g.vain = max(g.vain-1, 0) }

// missed notes that some of those who were waited for so long did not come.
func (g *grouping) missed(now time.Time, waited time.Duration) {
	g.rests = now.Add(waited << (2 * g.vain))
	g.vain = min(g.vain+1, mostVain)
}

// committed notes a commit's end: how many it answered, who waits already, and how
// long it took.
func (g *grouping) committed(now time.Time, answered, waiting int, took time.Duration) {
	g.expected, g.at = answered+waiting, now
	g.took += (took - g.took) / 8
}
