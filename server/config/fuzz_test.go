package config_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"treq/server/config"
	"treq/telemetry"
)

// FuzzLoad gives Load any file. It never panics; what it refuses it refuses with
// problems; what it takes it shows as a file that it takes again and that gives
// the same values, secrets apart.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "listen: :9002\notlp: {http: off}\n", "journal: {keep: 2d, max_bytes: 1GiB}\nack: memory\n",
		"chats: {preset: treq, entries: [{name: a}], close: {root: 1s}}\nfamilies: [{name: x, match: [y]}]\n",
		"sinks: [{name: a, endpoint: 'http://u:p@h/v1/traces?k=v', headers: {X: '${A:-b}'}, timeout: 5s}]\n",
		"tokens: {ingest: [a, b]}\ncors_origins: ['http://a']\nallowed_hosts: [h]\n", "a: &a [*a]\n", "? {x: y}\n: z\n", "listen: !!binary aGk=\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// From memory: writing a file takes a hundred times as long as reading it.
		load := func(data []byte) (config.Loaded, error) {
			return config.LoadContent(config.Sources{File: "treq.yaml", Env: func(string) string { return "" }}, data)
		}
		first, err := load(data)
		if err != nil {
			if _, ok := errors.AsType[config.Problems](err); !ok {
				t.Fatalf("Load = %T %v, want problems", err, err)
			}
			return
		}
		var shown bytes.Buffer
		if err := first.Show(&shown); err != nil {
			t.Fatalf("Show: %v", err)
		}
		again, err := load(shown.Bytes())
		if err != nil {
			t.Fatalf("what is shown does not load: %v\n%s", err, shown.Bytes())
		}
		ignore := cmp.Options{
			cmpopts.EquateEmpty(),
			cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Explicit" || p.Last().String() == ".Endpoint" }, cmp.Ignore()),
			cmp.Comparer(func(a, b telemetry.Secret) bool { return a.IsZero() == b.IsZero() }),
		}
		for i, s := range first.Config.Sinks {
			first.Config.Sinks[i] = s.WithDefaults()
		}
		for i, s := range again.Config.Sinks {
			again.Config.Sinks[i] = s.WithDefaults()
		}
		if diff := cmp.Diff(first.Config, again.Config, ignore); diff != "" {
			t.Errorf("shown and read back (-first +again):\n%s\n%s", diff, shown.Bytes())
		}
	})
}
