package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"treq/test/recorded"
)

// plan is one entry of manifest.json: a client to run, and what is known of it
// beforehand.
type plan struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Client  string `json:"client"`  // an installation that record.sh makes
	Program string `json:"program"` // under clients/
	// Args tell the program which of its conversations to have.
	Args     []string          `json:"args"`
	Service  string            `json:"service"`
	Env      map[string]string `json:"env"` // $FAKE stands for the fake's address
	Settings map[string]any    `json:"settings"`
	// TTFT lists the model calls, by position, of which the client notes when the
	// first token came.
	TTFT   []int             `json:"ttft"`
	Untold []recorded.Untold `json:"untold"`
}

func readManifest(name string) ([]plan, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var plans []plan
	if err := dec.Decode(&plans); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	seen := map[string]bool{}
	for _, p := range plans {
		if p.Name == "" || seen[p.Name] {
			return nil, fmt.Errorf("%s: the name %q is empty or repeats", name, p.Name)
		}
		seen[p.Name] = true
	}
	return plans, nil
}
