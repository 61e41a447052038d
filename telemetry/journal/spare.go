package journal

import (
	"errors"
	"time"
)

// A spare is the file of a segment to come: zeros, of which the device has every
// block. To write over them changes content alone, so that an fsync has no length
// and no blocks to tell to the file system's own log, which all other writers of
// the disk share. That takes half the CPU and is not held up by them. The price is
// that as much is written twice, wherefore it is done at modest rates only.
const (
	// spareName ends as what recovery removes.
	spareName = "next" + temporarySuffix
	// spareStep is how much is written at once, with spareRest between: what waits for
	// its own fsync meanwhile shares the device. Smaller steps cost more in all, 64 KiB
	// six times as much.
	spareStep = 1 << 20
	spareRest = 4 * time.Millisecond
	// spareMostRest bounds how slowly it is made where little comes.
	spareMostRest = 64 * time.Millisecond
	// spareWait is how long it rests while more comes than it is for.
	spareWait = 50 * time.Millisecond
	// spareAgain is when the next try is after one that failed or had to make room.
	spareAgain = time.Minute
	// spareFrom is how much a segment without one holds at least before one is made:
	// where hardly anything comes nobody waits.
	spareFrom = 1 << 20
	// spareMargin is by how much the last batch of a segment may pass its length.
	spareMargin = 1 << 20
	// spareShare of MaxBytes is what a segment may take where spares are made.
	spareShare = 16
)

// preparer is a File that can be made ready to be written over.
type preparer interface {
	// Reserve makes a new file size bytes long. It is errors.ErrUnsupported where
	// writing over what is there is no cheaper than appending.
	Reserve(size int64) error
	// Blank writes zeros between two offsets, multiples of spareBlock.
	Blank(from, to int64) error
}

// spareBlock is the unit of a spare's length.
const spareBlock = 4 << 10

var errUnwanted = errors.New("the segment to come is not wanted any more")

// spare is the state of the file of the segment to come. Guarded by Journal.mu.
type spare struct {
	size     int64 // 0: none are made
	most     int64 // rate up to which they are
	making   bool
	hurry    bool  // the active segment has none, and would use what is being made
	unwanted bool  // what is being made
	file     File  // nil: none is ready
	next     int64 // when one may be made again, by the journal's clock
	pace     pace
}

// slow tells whether the rate is one for which spares are made.
func (s *spare) slow() bool { return s.pace.rate >= 0 && s.pace.rate <= float64(s.most) }

// rest is how long to wait between two steps: to be done in half the time that the
// active segment lasts.
func (s *spare) rest() time.Duration {
	if s.hurry {
		return spareRest
	}
	d := spareStep / (2 * max(s.pace.rate, 1)) * float64(time.Second)
	return time.Duration(min(max(d, float64(spareRest)), float64(spareMostRest)))
}

// newSpare gives what the options ask for.
func (o *Options) newSpare() spare {
	s := spare{most: o.Prepare, pace: pace{rate: -1}}
	if o.Ack == Fsync && o.Prepare > 0 && o.SegmentBytes <= o.MaxBytes/spareShare {
		size := o.SegmentBytes + min(spareMargin, o.SegmentBytes/spareShare)
		s.size = (size + spareBlock - 1) &^ (spareBlock - 1)
	}
	return s
}

// held is what the spare takes on the disk.
func (s *spare) held() int64 {
	if s.making || s.file != nil {
		return s.size
	}
	return 0
}

// prepare notes what comes, and has the file of the next segment made where that
// pays and there is room. The writer calls it for every batch.
func (w *writer) prepare(now, frames int64) {
	w.mu.Lock()
	s := &w.spare
	s.pace.add(now, frames)
	wanted := s.size > 0 && s.slow() && s.held() == 0 && now >= s.next &&
		w.active.size+frames >= min(spareFrom, w.o.SegmentBytes/4)
	w.mu.Unlock()
	if !wanted || !w.roomForSpare(frames) {
		return
	}
	w.mu.Lock()
	s.making, s.unwanted, s.hurry = true, false, !w.active.prepared
	w.bytes += s.size
	w.mu.Unlock()
	w.workers.Go(w.makeSpare)
}

// roomForSpare tells whether there is room for one beside the frames that are not
// counted yet, after what every cursor has passed and age alone still kept. Nothing
// that is wanted goes for it.
func (j *Journal) roomForSpare(frames int64) bool {
	for {
		j.mu.Lock()
		room := j.o.MaxBytes - j.bytes
		j.mu.Unlock()
		if room >= j.spare.size+frames {
			break
		}
		if !j.expire(j.read) {
			return false
		}
	}
	_, free, err := j.fs.Space(j.dir)
	return err == nil && free-max(j.o.Reserve, 0) >= 4*j.spare.size
}

// makeSpare makes one. It runs in a goroutine of its own.
func (j *Journal) makeSpare() {
	f, err := j.blankFile()
	s := &j.spare
	j.mu.Lock()
	if err == nil && !s.unwanted {
		s.making, s.file = false, f
		j.mu.Unlock()
		return
	}
	j.mu.Unlock()
	if f != nil {
		j.discardFile(f, spareName)
	}
	if err != nil && !errors.Is(err, errUnwanted) && !errors.Is(err, errors.ErrUnsupported) {
		j.fault(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.bytes -= s.size
	s.making = false
	s.next = j.clock.tick() + int64(spareAgain)
	if errors.Is(err, errors.ErrUnsupported) {
		s.size = 0
	}
}

// blankFile makes a file of zeros on the device. It gives it with an error too.
func (j *Journal) blankFile() (File, error) {
	f, err := j.fs.Create(j.path(spareName))
	if err != nil {
		return nil, err
	}
	p, ok := f.(preparer)
	if !ok {
		return f, errors.ErrUnsupported
	}
	if err := p.Reserve(j.spare.size); err != nil {
		return f, err
	}
	for from := int64(0); from < j.spare.size; from += spareStep {
		if from > 0 {
			if err := j.rest(); err != nil {
				return f, err
			}
		}
		if err := p.Blank(from, min(from+spareStep, j.spare.size)); err != nil {
			return f, err
		}
	}
	return f, f.Sync()
}

// rest waits between two steps.
func (j *Journal) rest() error {
	j.mu.Lock()
	d := j.spare.rest()
	j.mu.Unlock()
	for ; ; d = spareWait {
		t := time.NewTimer(d)
		select {
		case <-j.stopping:
			t.Stop()
			return errUnwanted
		case <-t.C:
		}
		j.mu.Lock()
		unwanted, slow := j.spare.unwanted, j.spare.slow()
		j.mu.Unlock()
		if unwanted {
			return errUnwanted
		}
		if slow {
			return nil
		}
	}
}

// takeSpare gives the file that is ready and its length, nil if none. The journal's
// bytes keep counting it.
func (j *Journal) takeSpare() (File, int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.spare.file
	j.spare.file = nil
	return f, j.spare.size
}

// giveUpSpare lets the spare go for its room, and tells whether that is free now.
func (j *Journal) giveUpSpare() bool {
	j.mu.Lock()
	s := &j.spare
	s.unwanted = true
	s.next = j.clock.tick() + int64(spareAgain)
	f := s.file
	if f == nil {
		j.mu.Unlock()
		return false
	}
	s.file = nil
	j.bytes -= s.size
	j.mu.Unlock()
	j.discardFile(f, spareName)
	return true
}

// discardFile closes and removes a file that stands for nothing; one that stays
// does no harm.
func (j *Journal) discardFile(f File, name string) {
	_ = f.Close()
	j.discard(name)
}

// prepared is how much can be written into what the disk gave already. mu is held.
func (j *Journal) prepared() int64 {
	if n := len(j.segments); n > 0 && !j.segments[n-1].sealed {
		return max(j.segments[n-1].slack, 0)
	}
	if j.spare.file != nil {
		return j.spare.size
	}
	return 0
}

// ripe tells whether the active segment should make place for a spare that is
// ready, having none of its own.
func (j *Journal) ripe() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.spare.file != nil && j.spare.slow() && !j.active.prepared &&
		j.active.size >= min(spareFrom, j.o.SegmentBytes/4)
}
