package journal

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
)

const (
	// wideWindow is how much of a file is read at a time where bodies are read.
	wideWindow = 256 << 10
	// narrowWindow is that where headers only are read.
	narrowWindow = 16 << 10
	// leastWindow is enough for two of the longest headers with their names.
	leastWindow = 8 << 10
)

// scanner reads the frames of one segment's file. It is used by one goroutine.
type scanner struct {
	file  File
	base  Position
	salt  uint64 // 0 until known, when the segment's header is damaged
	limit int64  // nothing at or behind this offset is read
	blank int64  // only zeros are between here and the limit; 0: not known

	window []byte // file content at offset at, within buf
	at     int64
	buf    []byte
	most   int // length of buf where the file is that long
}

func newScanner(f File, base Position, salt uint64, limit int64, window int) *scanner {
	return &scanner{file: f, base: base, salt: salt, limit: limit, most: window}
}

// bytesAt gives file content from off on, at least n bytes of it unless the limit
// or the file's end comes first. It is valid until the next call. n is at most half
// of what buf then holds, or maxHead.
func (s *scanner) bytesAt(off int64, n int) ([]byte, error) {
	if off >= s.limit {
		return nil, nil
	}
	want := int(min(int64(n), s.limit-off))
	if off >= s.at && off+int64(want) <= s.at+int64(len(s.window)) {
		return s.window[off-s.at:], nil
	}
	if size := int(min(int64(s.most), max(s.limit, leastWindow))); len(s.buf) < size {
		s.buf = make([]byte, size)
	}
	got, err := s.file.ReadAt(s.buf[:min(int64(len(s.buf)), s.limit-off)], off)
	s.window, s.at = s.buf[:got], off
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s.window, nil
}

// frame reads the header and names of the frame at off. It reports false when no
// valid one starts there or it reaches behind the limit. The names are valid until
// the next call.
func (s *scanner) frame(off int64) (head, bool, error) {
	b, err := s.bytesAt(off, maxHead)
	if err != nil {
		return head{}, false, err
	}
	h, ok := parseHead(b, s.base+Position(off), s.salt)
	if !ok || off+int64(h.length) > s.limit {
		return head{}, false, nil
	}
	if s.salt == 0 {
		s.salt = h.salt
	}
	return h, true, nil
}

// verify reads the body of the frame h at off and tells whether it is unaltered.
func (s *scanner) verify(h *head, off int64) (bool, error) {
	sum, at, end := uint32(0), off+int64(h.size()), off+int64(h.length)
	for at < end {
		b, err := s.bytesAt(at, 1)
		if err != nil {
			return false, err
		}
		if len(b) == 0 {
			return false, nil
		}
		b = b[:min(int64(len(b)), end-at)]
		sum = crc32.Update(sum, castagnoli, b)
		at += int64(len(b))
	}
	return sum == h.bodyCRC, nil
}

// read reads the body of the frame h at off into body, which has its length, and
// tells whether it is unaltered.
func (s *scanner) read(body []byte, h *head, off int64) (bool, error) {
	at := off + int64(h.size())
	n := 0
	if at >= s.at && at < s.at+int64(len(s.window)) {
		n = copy(body, s.window[at-s.at:])
	}
	if rest := len(body) - n; rest > 0 && rest < len(s.buf)/2 {
		b, err := s.bytesAt(at+int64(n), rest)
		if err != nil {
			return false, err
		}
		n += copy(body[n:], b)
	} else if rest > 0 {
		got, err := s.file.ReadAt(body[n:], at+int64(n))
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		n += got
	}
	return n == len(body) && crc32.Checksum(body, castagnoli) == h.bodyCRC, nil
}

// seek gives the offset of the first frame at or after off whose header is valid,
// the limit if there is none.
func (s *scanner) seek(off int64) (int64, error) {
	limit := s.limit
	if s.blank > 0 {
		limit = min(limit, s.blank)
	}
	for off < limit {
		b, err := s.bytesAt(off, len(marker))
		if err != nil {
			return 0, err
		}
		if len(b) < len(marker) {
			break
		}
		i := bytes.Index(b, marker[:])
		if i < 0 {
			off += int64(len(b) - len(marker) + 1)
			continue
		}
		off += int64(i)
		if _, ok, err := s.frame(off); err != nil || ok {
			return off, err
		}
		off++
	}
	return s.limit, nil
}

// blankFrom gives the offset from which a file holds only zeros before limit.
func (s *scanner) blankFrom(limit int64) (int64, error) {
	for limit > 0 {
		from := max(limit-wideWindow, 0)
		b, err := s.bytesAt(from, int(limit-from))
		if err != nil {
			return 0, err
		}
		// What the file turns out not to have any more stands for zeros.
		b = b[:min(int64(len(b)), limit-from)]
		// Equal neighbours are all equal, which is compared faster than byte by byte.
		if len(b) > 0 && (b[0] != 0 || !bytes.Equal(b[1:], b[:len(b)-1])) {
			return from + int64(len(bytes.TrimRight(b, "\x00"))), nil
		}
		limit = from
	}
	return 0, nil
}

// damage is a stretch of a segment that holds no valid frame.
type damage struct {
	from, to int64 // offsets
	// records and items tell how many were lost, where a later frame tells.
	records, items uint64
}

// walk visits the valid frames from off on; the names of a visited head may be
// overwritten already. With bodies it reads them whole and
// treats an altered one as damage; else headers only. Damage that a valid frame
// follows is told to damaged, if set; walk gives the end of the last valid frame.
func (s *scanner) walk(off int64, bodies bool, visit func(h *head), damaged func(damage)) (int64, error) {
	end := off
	// Declared here, it is allocated once although visit gets its address.
	var h head
	for off < s.limit {
		var ok bool
		var err error
		if h, ok, err = s.frame(off); err != nil {
			return end, err
		}
		next := off + int64(h.length)
		if ok && bodies {
			if ok, err = s.verify(&h, off); err != nil {
				return end, err
			}
			if !ok {
				off = next
				continue
			}
		}
		if !ok {
			if off, err = s.seek(off + 1); err != nil {
				return end, err
			}
			continue
		}
		if off > end && damaged != nil {
			damaged(damage{from: end, to: off})
		}
		visit(&h)
		off, end = next, next
	}
	return end, nil
}
