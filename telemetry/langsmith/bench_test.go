package langsmith

import (
	"strings"
	"testing"

	"treq/test/recorded"
)

// BenchmarkRead is the door's reading of what SDKs sent.
func BenchmarkRead(b *testing.B) {
	for _, c := range recorded.Load(b) {
		if !strings.HasSuffix(c.Name, "native-rag") && !strings.HasSuffix(c.Name, "native-langchain") {
			continue
		}
		b.Run(c.Name, func(b *testing.B) {
			body := c.Native[0].Body
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Read(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
