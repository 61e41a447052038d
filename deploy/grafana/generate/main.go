// Command generate writes the Grafana dashboards of this product, in Portuguese
// and in English, into the directory it is given:
//
//	go run . ../dashboards
//
// It is a module of its own, so that the product does not carry Grafana's SDK.
// What it writes is committed; test/e2e holds it to the metrics of a running
// service.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// write makes one file for each dashboard and language.
func write(to string) error {
	for _, language := range []language{portuguese, english} {
		dir := filepath.Join(to, string(language))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, b := range []board{overview, models, rag, pipeline} {
			built, err := b.build(language)
			if err != nil {
				return fmt.Errorf("%s: %w", b.uid, err)
			}
			text, err := json.MarshalIndent(built, "", "  ")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, b.uid+".json"), append(text, '\n'), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
