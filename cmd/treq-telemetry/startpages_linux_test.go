package main

import "testing"

// TestOnlyTheProgramItselfIsGivenBack: a mapping that was written to would be lost.
func TestOnlyTheProgramItselfIsGivenBack(t *testing.T) {
	const program = "/opt/treq/treq telemetry"
	for line, want := range map[string][2]uintptr{
		"00400000-01481000 r-xp 00000000 fe:00 9986802                            /opt/treq/treq telemetry": {0x400000, 0x1481000},
		"7f01481000-7f02704000 r--p 01081000 fe:00 9986802 /opt/treq/treq telemetry":                        {0x7f01481000, 0x7f02704000},
		"02704000-027f3000 rw-p 02304000 fe:00 9986802 /opt/treq/treq telemetry":                            {},
		"02704000-027f3000 r--s 02304000 fe:00 9986802 /opt/treq/treq telemetry":                            {},
		"02704000-027f3000 r-xp 02304000 fe:00 9986802 /opt/treq/treq telemetry (deleted)":                  {},
		"7f3fcfe14000-7f3fcff6a000 r-xp 00026000 fe:00 1 /usr/lib/libc.so.6":                                {},
		"24dd85000000-24dd86400000 rw-p 00000000 00:00 0 ":                                                  {},
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]":                                {},
		"00g00000-01481000 r-xp 00000000 fe:00 9986802 /opt/treq/treq telemetry":                            {},
		"": {},
	} {
		from, to, ok := programPages(line, program)
		if got := [2]uintptr{from, to}; ok != (want != [2]uintptr{}) || got != want && ok {
			t.Errorf("%q: %x-%x, %t", line, from, to, ok)
		}
	}
}

// TestForgettingTheStartForgetsNothingElse: what was given back is read again from the file.
func TestForgettingTheStartForgetsNothingElse(t *testing.T) {
	before := newConstant()
	forgetStart()
	if after := newConstant(); after != before {
		t.Errorf("%q became %q", before, after)
	}
}

func newConstant() string { return "what the program says " + buildVersion().Version }
