package compress

import "testing"

// TestSizeClasses holds the table of sizes to its promise: each size asked for gets
// a class that holds it, at most a quarter larger, and a class always means one size.
func TestSizeClasses(t *testing.T) {
	rooms := make(map[int]int)
	check := func(size int) {
		class, room := classOf(size)
		switch {
		case room < size:
			t.Fatalf("%d bytes get %d", size, room)
		case class < 0:
			if size <= 1<<largestPower || room != size {
				t.Fatalf("%d bytes get %d and no class", size, room)
			}
			return
		case size > 1<<smallestPower && room > size+size/steps:
			t.Fatalf("%d bytes get %d", size, room)
		}
		if known, seen := rooms[class]; seen && known != room {
			t.Fatalf("class %d has %d bytes and %d", class, known, room)
		}
		rooms[class] = room
	}
	for size := range 1 << 17 {
		check(size)
	}
	for power := smallestPower; power <= largestPower+1; power++ {
		for quarter := range steps {
			at := 1<<power + quarter<<(power-stepBits)
			for _, size := range []int{at - 1, at, at + 1} {
				check(size)
			}
		}
	}
	if len(rooms) != len(buffers) {
		t.Errorf("%d classes are used of %d", len(rooms), len(buffers))
	}
}
