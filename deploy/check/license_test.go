package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// licences are those under which the product may carry somebody else's work in one
// program under Apache-2.0, by words that no other of them has.
var licences = map[string]string{
	"Apache-2.0": "Apache License",
	"MIT":        "Permission is hereby granted, free of charge",
	"BSD":        "Redistribution and use in source and binary forms",
	"ISC":        "Permission to use, copy, modify, and/or distribute",
	"MPL-2.0":    "Mozilla Public License",
}

// Every module that is compiled into the product has a licence that we know.
func TestLicences(t *testing.T) {
	if own := string(read(t, "LICENSE")); !strings.Contains(own, "Apache License") || !strings.Contains(own, "END OF TERMS AND CONDITIONS") {
		t.Error("LICENSE is not whole")
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", "./cmd/treq-telemetry")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) < 20 {
		t.Errorf("only %d modules: %v", len(lines), lines)
	}
	for _, line := range lines {
		module, dir, found := strings.Cut(line, " ")
		if found && licence(dir) == "" {
			t.Errorf("%s has no licence that we know, in %s", module, dir)
		}
	}
}

// licence gives the licence of a module, "" for one that is not known.
func licence(dir string) string {
	files, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, f := range files {
		name := strings.ToUpper(f.Name())
		if !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			continue
		}
		words := strings.Join(strings.Fields(string(text)), " ")
		if strings.Contains(words, "GNU GENERAL PUBLIC LICENSE") || strings.Contains(words, "GNU AFFERO") {
			return ""
		}
		for name, phrase := range licences {
			if strings.Contains(words, phrase) {
				return name
			}
		}
	}
	return ""
}
