package objective

import (
	_ "embed"
	"fmt"
)

//go:embed builtin.yaml
var builtin []byte

// Builtin gives the objectives that ship with the program. The caller owns them.
func Builtin() *Document {
	d := &Document{}
	if err := d.apply("builtin.yaml", builtin); err != nil {
		panic(fmt.Sprintf("objective: %s", err)) // part of the program, and tested
	}
	return d
}

// BuiltinFile gives the file of the built-in objectives, as a start for one's own.
func BuiltinFile() []byte { return append([]byte(nil), builtin...) }

// Load gives the built-in objectives with a file laid over them: what it says of
// an objective of theirs replaces that line, all others are added. name is the
// file's, for errors. No data gives the built-in ones.
//
// The error, of kind telemetry.Unprocessable, names each fault with its line, its
// key and the reason.
func Load(name string, data []byte) (*Document, error) {
	d := Builtin()
	if err := d.apply(name, data); err != nil {
		return nil, err
	}
	return d, nil
}
