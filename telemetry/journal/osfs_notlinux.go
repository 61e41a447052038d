//go:build !linux

package journal

// WriteVec implements File.
func (f *osFile) WriteVec(bufs [][]byte, offset int64) error {
	for _, b := range bufs {
		n, err := f.WriteAt(b, offset)
		if err != nil {
			return err
		}
		offset += int64(n)
	}
	return nil
}

// direct is a way past the page cache that this platform does not offer.
type direct struct{}

func (*direct) close() error { return nil }
