package server

import (
	"io"
	"net/http"
	"time"
)

// The pace of a body. One that stands still, or drips, is given up after
// firstPause; one that comes on has until bodyWithin. Reading it or not makes no
// difference: what is left of a refused body is bound by the same deadline.
const (
	firstPause  = 15 * time.Second
	bytesEach   = 16 << 10 // earn one more second
	bodyWithin  = 60 * time.Second
	renewPauses = time.Second
)

// paced is a body that comes on at a pace or fails.
type paced struct {
	io.ReadCloser
	control  *http.ResponseController
	began    time.Time
	deadline time.Time
	got      int64
}

func pace(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	now := time.Now()
	p := &paced{ReadCloser: body, control: http.NewResponseController(w), began: now, deadline: now.Add(firstPause)}
	_ = p.control.SetReadDeadline(p.deadline) // a connection without deadlines ends by the server's own
	return p
}

// Read reads from the body, and puts the deadline off by what has come.
func (p *paced) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	p.got += int64(n)
	if err != nil {
		if err == io.EOF {
			// The answer may take longer than the body was allowed to.
			_ = p.control.SetReadDeadline(time.Time{})
		}
		return n, err
	}
	next := p.began.Add(min(firstPause+time.Duration(p.got/bytesEach)*time.Second, bodyWithin))
	if next.Sub(p.deadline) >= renewPauses {
		p.deadline = next
		_ = p.control.SetReadDeadline(next)
	}
	return n, nil
}
