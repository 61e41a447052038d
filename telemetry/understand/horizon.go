package understand

import (
	"encoding/binary"
	"runtime"
	"time"

	"github.com/zeebo/xxh3"

	"treq/telemetry"
)

// Fingerprint is the 64-bit fingerprint by which a span is known: a hash of its
// trace and span id, never 0, its low three bits clear. It is the same on every
// machine and in every version.
func Fingerprint(trace *[16]byte, span uint64) uint64 {
	var key [24]byte
	copy(key[:], trace[:])
	binary.BigEndian.PutUint64(key[16:], span)
	fp := xxh3.Hash(key[:]) &^ generationMask
	if fp == 0 {
		return 1 << generationBits
	}
	return fp
}

const (
	generationBits = 3
	generationMask = 1<<generationBits - 1
	// generations that count; the others of the eight are being forgotten.
	generations = 6
	bucketBits  = 3
	bucketSlots = 1 << bucketBits
	minBuckets  = 1 << 8
)

// Horizon knows the spans seen of late by their fingerprints. Time is journal
// time, in steps of a fifth of the time to cover: what was added is known for at
// least that time and at most a fifth longer. It is bounded in bytes; when full,
// the oldest fingerprints of a bucket go first, counted. Not safe for concurrent use.
//
// The table is made of buckets of one cache line, so that a look-up misses the
// cache once; a slot holds a fingerprint and, in its low bits, its generation.
type Horizon struct {
	slots   []uint64
	used    int
	step    int64
	epoch   int64 // number of the current step since 1970
	max     int   // slots
	evicted int64
	warmed  uint64 // keeps what warm reads from being left out
	// mapped is the table's memory where that lies outside the heap; outside gives it
	// back when the horizon is garbage.
	mapped  []byte
	outside runtime.Cleanup
}

// NewHorizon makes a horizon over the given time, bounded in bytes (at least 16 KiB).
func NewHorizon(cover time.Duration, maxBytes int) *Horizon {
	buckets := minBuckets
	for buckets*2*bucketSlots*8 <= maxBytes {
		buckets *= 2
	}
	return &Horizon{
		slots: make([]uint64, minBuckets*bucketSlots),
		step:  max(1, int64(cover)/(generations-1)),
		max:   buckets * bucketSlots,
	}
}

// Bytes gives the size of the table in bytes.
func (h *Horizon) Bytes() int { return 8 * len(h.slots) }

// Len gives the number of fingerprints held.
func (h *Horizon) Len() int { return h.used }

// Evicted gives the number of fingerprints that were forgotten before their time for want of room.
func (h *Horizon) Evicted() int64 { return h.evicted }

// Add adds a fingerprint at a journal time in Unix nanoseconds and tells whether
// it was known. Times before the latest seen count as the latest.
func (h *Horizon) Add(at int64, fp uint64) (known bool) {
	h.advance(at)
	return h.insert(fp, uint64(h.epoch)&generationMask)
}

// warm has the places of fingerprints brought into the cache. One after the other,
// each miss would be waited for; in so tight a loop the processor has many under way.
func (h *Horizon) warm(fps []uint64) {
	var sum uint64
	for _, fp := range fps {
		at := h.bucket(fp) * bucketSlots
		// What has overflowed from a full bucket is in the next.
		sum += h.slots[at] + h.slots[(at+bucketSlots)&(len(h.slots)-1)]
	}
	h.warmed = sum
}

// bucket gives the bucket that a fingerprint belongs to.
func (h *Horizon) bucket(fp uint64) int { return int(fp>>32) & (len(h.slots)/bucketSlots - 1) }

// crowded is the share of slots taken, one in so many, from which the table grows
// rather than forget a fingerprint whose two buckets are full.
const crowded = 8

func (h *Horizon) insert(fp, generation uint64) (known bool) {
	if h.used*4 >= len(h.slots)*3 && len(h.slots) < h.max {
		h.grow()
	}
	b := h.bucket(fp)
	known, place, age := h.look(b, fp)
	if known {
		return true
	}
	// Nothing overflows from a bucket with room: slots are only freed by whole sweeps.
	if age != isFree {
		next := (b + 1) & (len(h.slots)/bucketSlots - 1)
		known, other, otherAge := h.look(next, fp)
		if known {
			return true
		}
		if otherAge > age {
			place, age = other, otherAge
		}
	}
	switch {
	case age == isFree:
		h.used++
	case len(h.slots) < h.max && h.used*crowded >= len(h.slots):
		h.grow()
		return h.insert(fp, generation)
	default:
		h.evicted++
	}
	h.slots[place] = fp | generation
	return false
}

// isFree is the age of a free slot, above those of all others.
const isFree = generationMask + 1

// look looks for a fingerprint in a bucket, and finds the slot to put it in: a
// free one, else one of the oldest, in each case the first.
func (h *Horizon) look(b int, fp uint64) (known bool, place int, age uint64) {
	bucket := (*[bucketSlots]uint64)(h.slots[b*bucketSlots:])
	free := bucketSlots
	// Backwards, so that the first that is free is the last that is noted.
	for i := bucketSlots - 1; i >= 0; i-- {
		slot := bucket[i]
		if slot^fp <= generationMask {
			return true, 0, 0
		}
		if slot == 0 {
			free = i
		}
	}
	if free < bucketSlots {
		return false, b*bucketSlots + free, isFree
	}
	var best uint64
	for i, slot := range bucket {
		best = max(best, (uint64(h.epoch)-slot)&generationMask<<bucketBits|uint64(bucketSlots-1-i))
	}
	return false, b*bucketSlots + bucketSlots - 1 - int(best&(bucketSlots-1)), best >> bucketBits
}

// advance moves to the step of a time and sweeps what is older than the horizon.
func (h *Horizon) advance(at int64) {
	epoch := at / h.step
	if epoch <= h.epoch {
		return
	}
	before, passed := h.epoch, epoch-h.epoch
	h.epoch = epoch
	switch {
	case h.used == 0:
	case passed >= generations:
		clear(h.slots)
		h.used = 0
	default:
		h.sweep(before, uint64(passed))
	}
}

// sweep forgets what is too old, some steps after an epoch, and moves back what
// had overflowed from a bucket that has room now. It takes no memory.
func (h *Horizon) sweep(epoch int64, passed uint64) {
	for i, slot := range h.slots {
		if slot != 0 && (uint64(epoch)-slot)&generationMask+passed >= generations {
			h.slots[i] = 0
			h.used--
		}
	}
	buckets := len(h.slots) / bucketSlots
	for b := range buckets {
		h.recall(b)
	}
	// The last bucket overflows into the first, whose room the next may have waited for.
	for b := 0; b < buckets && h.recall(b); b++ {
	}
}

// recall moves back into a bucket what had overflowed from it, and tells whether
// anything had.
func (h *Horizon) recall(b int) (moved bool) {
	bucket := (*[bucketSlots]uint64)(h.slots[b*bucketSlots:])
	next := (b + 1) % (len(h.slots) / bucketSlots)
	beside := (*[bucketSlots]uint64)(h.slots[next*bucketSlots:])
	for i, slot := range beside {
		if slot == 0 || h.bucket(slot) != b {
			continue
		}
		for k := range bucket {
			if bucket[k] == 0 {
				bucket[k], beside[i] = slot, 0
				moved = true
				break
			}
		}
	}
	return moved
}

// grow doubles the table. What was moved out of the old one is given back on the way,
// so that the two together never take more than the new one.
func (h *Horizon) grow() {
	old, mapped := h.slots, h.mapped
	h.mapped = nil
	h.outside.Stop()
	h.slots = h.largeTable(2 * len(old))
	h.used = 0
	given := 0
	for i, slot := range old {
		if i&(1<<18-1) == 0 {
			given = emptied(mapped, given, i)
		}
		if slot != 0 {
			h.insert(slot&^generationMask, slot&generationMask)
		}
	}
	unmap(mapped)
}

const horizonVersion = 1

// Export appends the fingerprints added since a journal time (Unix nanoseconds),
// rounded down to a step, for Load.
func (h *Horizon) Export(dst []byte, since int64) []byte {
	dst = append(dst, horizonVersion)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.step))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.epoch))
	for _, slot := range h.slots {
		age := (uint64(h.epoch) - slot) & generationMask
		if slot != 0 && h.epoch-int64(age) >= since/h.step {
			dst = binary.LittleEndian.AppendUint64(dst, slot)
		}
	}
	return dst
}

// Load adds what Export gave to what is known already. An error of kind Invalid
// leaves the horizon as it was.
func (h *Horizon) Load(data []byte) error {
	const head = 1 + 8 + 8
	if len(data) < head || data[0] != horizonVersion || (len(data)-head)%8 != 0 {
		return telemetry.Errorf(telemetry.Invalid, "horizon: not an export of version %d", horizonVersion)
	}
	step := int64(binary.BigEndian.Uint64(data[1:]))
	epoch := int64(binary.BigEndian.Uint64(data[9:]))
	if step <= 0 || epoch < 0 || epoch > (1<<63-1)/step {
		return telemetry.Errorf(telemetry.Invalid, "horizon: an export with impossible times")
	}
	h.advance(epoch * step)
	for rest := data[head:]; len(rest) > 0; rest = rest[8:] {
		slot := binary.LittleEndian.Uint64(rest)
		at := (epoch - int64((uint64(epoch)-slot)&generationMask)) * step
		age := h.epoch - at/h.step
		if fp := slot &^ generationMask; fp != 0 && 0 <= age && age < generations {
			h.insert(fp, uint64(h.epoch-age)&generationMask)
		}
	}
	return nil
}
