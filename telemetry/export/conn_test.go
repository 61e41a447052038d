package export

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
)

// writes is a connection that notes what is written.
type writes struct {
	net.Conn
	sizes []int
	all   bytes.Buffer
	fail  error
}

func (w *writes) Write(b []byte) (int, error) {
	if w.fail != nil {
		return len(b) / 2, w.fail
	}
	w.sizes = append(w.sizes, len(b))
	return w.all.Write(b)
}

// A body goes out whole, in few writes, and what breaks either side is told.
func TestBodiesGoOutInLargeWrites(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	var w writes
	body := &io.LimitedReader{R: &reader{chunks: [][]byte{content[:300_000], content[300_000:300_001], content[300_001:]}}, N: int64(len(content))}
	if n, err := (conn{&w}).ReadFrom(body); err != nil || n != int64(len(content)) || !bytes.Equal(w.all.Bytes(), content) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if len(w.sizes) > 8 {
		t.Errorf("in writes of %v bytes", w.sizes)
	}
	if n, err := (conn{&writes{}}).ReadFrom(&io.LimitedReader{R: bytes.NewReader(nil)}); n != 0 || err != nil {
		t.Errorf("nothing: %d, %v", n, err)
	}
	parted := &reader{chunks: [][]byte{nil, content[:70_000], {}, content[70_000:]}}
	head := make([]byte, 65_536)
	if n, err := parted.Read(head); n != len(head) || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	w = writes{}
	body = &io.LimitedReader{R: parted, N: 500_000}
	if n, err := (conn{&w}).ReadFrom(body); err != nil || n != 500_000 || body.N != 0 || !bytes.Equal(w.all.Bytes(), content[65_536:][:500_000]) {
		t.Errorf("a part of a body: %d bytes, %v", n, err)
	}
	rest, err := io.ReadAll(parted)
	if err != nil || !bytes.Equal(rest, content[565_536:]) {
		t.Errorf("the rest of it: %d bytes, %v", len(rest), err)
	}
	broken := errors.New("broken")
	if n, err := (conn{&writes{fail: broken}}).ReadFrom(bytes.NewReader(content[:100])); n != 50 || !errors.Is(err, broken) {
		t.Errorf("a broken connection: %d, %v", n, err)
	}
	if n, err := (conn{&writes{}}).ReadFrom(io.MultiReader(bytes.NewReader(content[:100]), iotest.ErrReader(broken))); n != 100 || !errors.Is(err, broken) {
		t.Errorf("a broken body: %d, %v", n, err)
	}
}
