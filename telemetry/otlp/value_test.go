package otlp

import (
	"math"
	"strings"
	"testing"
)

func text(s string) Value { return Value{Type: String, Bytes: []byte(s)} }

func integer(n int64) Value { return Value{Type: Int, Num: uint64(n)} }

func double(f float64) Value { return Value{Type: Double, Num: math.Float64bits(f)} }

func TestNumbersAreReadLeniently(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		value     Value
		number    float64
		n         int64
		ok, exact bool
	}{
		{integer(5), 5, 5, true, true},
		{integer(-1), -1, -1, true, true},
		{integer(math.MinInt64), -1 << 63, math.MinInt64, true, true},
		{integer(1<<53 + 1), 1 << 53, 1<<53 + 1, true, true},
		{double(3), 3, 3, true, true},
		{double(-3.7), -3.7, -3, true, false},
		{double(1e30), 1e30, math.MaxInt64, true, false},
		{double(1 << 63), 1 << 63, math.MaxInt64, true, false},
		{double(-1 << 63), -1 << 63, math.MinInt64, true, true},
		{double(-1e30), -1e30, math.MinInt64, true, false},
		{double(inf), inf, math.MaxInt64, true, false},
		{double(nan), nan, 0, true, false},
		{text("12"), 12, 12, true, true},
		{text(" 12\n"), 12, 12, true, true},
		{text("+12"), 12, 12, true, true},
		{text("-0.5"), -0.5, 0, true, false},
		{text("1e3"), 1000, 1000, true, true},
		{text("9223372036854775807"), 1 << 63, math.MaxInt64, true, true},
		{text("9223372036854775808"), 1 << 63, math.MaxInt64, true, false},
		{text("1e999"), inf, math.MaxInt64, true, false},
		{text("NaN"), nan, 0, true, false},
		{text("infinity"), inf, math.MaxInt64, true, false},
		{text(""), 0, 0, false, false},
		{text("  "), 0, 0, false, false},
		{text("0x10"), 0, 0, false, false},
		{text("1_000"), 0, 0, false, false},
		{text("twelve"), 0, 0, false, false},
		{text("1,5"), 0, 0, false, false},
		{text(strings.Repeat("1", longestNumber+1)), 0, 0, false, false},
		{Value{Type: Bool, Num: 1}, 0, 0, false, false},
		{Value{}, 0, 0, false, false},
		{Value{Type: Bytes, Bytes: []byte("12")}, 0, 0, false, false},
	}
	for _, test := range tests {
		number, ok := test.value.Number()
		same := number == test.number || math.IsNaN(number) && math.IsNaN(test.number)
		if ok != test.ok || !same {
			t.Errorf("%s: Number %v %v, want %v %v", valueText(test.value), number, ok, test.number, test.ok)
		}
		n, ok, exact := test.value.Integer()
		if n != test.n || ok != test.ok || exact != test.exact {
			t.Errorf("%s: Integer %d %v %v, want %d %v %v", valueText(test.value), n, ok, exact, test.n, test.ok, test.exact)
		}
	}
	v := text("1234567")
	if n := testing.AllocsPerRun(100, func() { v.Number(); v.Integer() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTruthIsReadLeniently(t *testing.T) {
	tests := []struct {
		value     Value
		truth, ok bool
	}{
		{Value{Type: Bool, Num: 1}, true, true},
		{Value{Type: Bool}, false, true},
		{text("true"), true, true},
		{text(" True "), true, true},
		{text("FALSE"), false, true},
		{text("yes"), false, false},
		{integer(1), false, false},
		{Value{}, false, false},
	}
	for _, test := range tests {
		if truth, ok := test.value.Truth(); truth != test.truth || ok != test.ok {
			t.Errorf("%s: %v %v", valueText(test.value), truth, ok)
		}
	}
}
