package journal

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"testing"
)

// RewriteFormat makes a segment's header say that it has another format version.
func RewriteFormat(t *testing.T, name string, version uint32) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[92:], crc32.Checksum(b[:92], castagnoli))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
