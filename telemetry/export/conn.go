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

// ReadFrom writes what r gives until its end, and is how a transport sends a body.
func (c conn) ReadFrom(r io.Reader) (n int64, err error) {
	size := int64(copyBytes)
	if l, ok := r.(*io.LimitedReader); ok {
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

// dial opens a connection for a transport.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}
