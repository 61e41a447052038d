package export

import (
	"context"
	"io"
	"net"
	"time"

	"treq/telemetry/compress"
)

// copyBytes is how much of a body one write hands to the kernel. A transport left
// alone makes a new buffer of 32 KiB for each request, and twenty writes of what is
// one here.
const copyBytes = 256 << 10

// conn is a connection that takes bodies in large writes.
type conn struct{ net.Conn }

// chunked is a body that lies in memory in pieces.
type chunked interface {
	// take gives the next pieces, of most bytes at most, and passes them; none at the end.
	take(most int64) net.Buffers
}

// ReadFrom writes what r gives until its end, and is how a transport sends a body.
func (c conn) ReadFrom(r io.Reader) (n int64, err error) {
	size := int64(copyBytes)
	if l, ok := r.(*io.LimitedReader); ok {
		if body, ok := l.R.(chunked); ok {
			return c.writeChunks(body, l)
		}
		size = max(1, min(size, l.N))
	}
	buffer := compress.NewBuffer(int(size))
	defer buffer.Release()
	b := buffer.B[:size]
	for {
		got, err := r.Read(b)
		if got > 0 {
			sent, err := c.Conn.Write(b[:got])
			n += int64(sent)
			if err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// writeChunks hands a body's pieces to the kernel where they lie.
func (c conn) writeChunks(body chunked, l *io.LimitedReader) (n int64, err error) {
	for l.N > 0 {
		pieces := body.take(min(l.N, copyBytes))
		if len(pieces) == 0 {
			return n, nil
		}
		sent, err := pieces.WriteTo(c.Conn)
		n += sent
		l.N -= sent
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// dial opens a connection for a transport.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}
