package journal_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"treq/telemetry/journal"
)

// block is what a disk writes at once at best.
const block = 512

var errPowerCut = errors.New("the power is cut")

// brokenFS is a file system in memory that knows what is durable. It counts calls,
// and cuts the power or fails at the one it is told.
type brokenFS struct {
	mu      sync.Mutex
	rng     *rand.Rand
	names   map[string]*inode // as the process sees them
	durable map[string]*inode // as the disk knows them
	locked  map[string]bool

	calls    int
	cutAt    int // 0: never
	failAt   int // 0: never
	failFor  int // calls that fail from failAt on; 0 is 1
	cut      bool
	capacity int // bytes; 0: no limit
}

// inode is a file's content.
type inode struct {
	data   []byte // as the process sees it
	disk   []byte // as the disk has it
	dirty  map[int]bool
	shrunk bool // data was cut since the last sync
}

func newBrokenFS(seed uint64) *brokenFS {
	return &brokenFS{
		rng:   rand.New(rand.NewPCG(seed, 1)),
		names: map[string]*inode{}, durable: map[string]*inode{}, locked: map[string]bool{},
	}
}

// call counts a call. apply is done when it succeeds, and, as the power may go
// after the deed, also when the power is cut in it.
func (b *brokenFS) call(apply func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return errPowerCut
	}
	b.calls++
	if b.calls == b.cutAt {
		b.cut = true
		_ = apply()
		return errPowerCut
	}
	if b.failAt > 0 && b.calls >= b.failAt && b.calls < b.failAt+max(b.failFor, 1) {
		return syscall.EIO
	}
	return apply()
}

// killed gives what a start finds when only the process died: everything, durable
// or not. It shares the files with b, which is of no use any more.
func (b *brokenFS) killed() *brokenFS {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := newBrokenFS(3)
	out.names, out.durable = b.names, b.durable
	return out
}

// image gives what a start after the power cut finds, when the disk had kept the
// given share of what was not yet durable: of changed names, and of blocks, some
// of which it tore.
func (b *brokenFS) image(percent int, seed uint64) *brokenFS {
	b.mu.Lock()
	defer b.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, uint64(percent)))
	kept := func() bool { return rng.IntN(100) < percent }
	out := newBrokenFS(seed)
	all := maps.Clone(b.durable)
	maps.Copy(all, b.names)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		node := b.durable[name]
		if now := b.names[name]; now != node && kept() {
			node = now
		}
		if node == nil {
			continue
		}
		disk := slices.Clone(node.disk)
		if node.shrunk && kept() {
			disk = disk[:min(len(disk), len(node.data))]
		}
		for _, i := range slices.Sorted(maps.Keys(node.dirty)) {
			from, to := i*block, min((i+1)*block, len(node.data))
			if from >= to || !kept() {
				continue
			}
			if percent < 100 && rng.IntN(4) == 0 {
				to = from + rng.IntN(to-from) + 1
			}
			if len(disk) < to {
				disk = append(disk, make([]byte, to-len(disk))...)
			}
			copy(disk[from:to], node.data[from:to])
		}
		n := &inode{data: disk, disk: slices.Clone(disk), dirty: map[int]bool{}}
		out.names[name], out.durable[name] = n, n
	}
	return out
}

func (b *brokenFS) MkdirAll(string) error { return b.call(func() error { return nil }) }

func (b *brokenFS) Create(name string) (journal.File, error) {
	var f journal.File
	err := b.call(func() error {
		n := b.names[name]
		if n == nil {
			n = &inode{dirty: map[int]bool{}}
			b.names[name] = n
		}
		n.cutTo(0)
		f = &brokenFile{b, n}
		return nil
	})
	return f, err
}

func (b *brokenFS) Open(name string) (journal.File, error) {
	var f journal.File
	err := b.call(func() error {
		n := b.names[name]
		if n == nil {
			return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		f = &brokenFile{b, n}
		return nil
	})
	return f, err
}

func (b *brokenFS) Remove(name string) error {
	return b.call(func() error {
		if b.names[name] == nil {
			return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
		}
		delete(b.names, name)
		return nil
	})
}

func (b *brokenFS) Truncate(name string, size int64) error {
	return b.call(func() error {
		n := b.names[name]
		if n == nil {
			return &fs.PathError{Op: "truncate", Path: name, Err: fs.ErrNotExist}
		}
		n.cutTo(int(size))
		return nil
	})
}

func (b *brokenFS) Rename(from, to string) error {
	return b.call(func() error {
		n := b.names[from]
		if n == nil {
			return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
		}
		delete(b.names, from)
		b.names[to] = n
		return nil
	})
}

func (b *brokenFS) ReadDir(dir string) ([]string, error) {
	var names []string
	err := b.call(func() error {
		for name := range b.names {
			if filepath.Dir(name) == dir {
				names = append(names, filepath.Base(name))
			}
		}
		slices.Sort(names)
		return nil
	})
	return names, err
}

func (b *brokenFS) SyncDir(string) error {
	return b.call(func() error {
		b.durable = maps.Clone(b.names)
		return nil
	})
}

func (b *brokenFS) Space(string) (total, free int64, err error) {
	const size = 1 << 30
	err = b.call(func() error {
		total, free = size, size
		if b.capacity > 0 {
			total, free = int64(b.capacity), int64(b.capacity-b.used())
		}
		return nil
	})
	return total, free, err
}

func (b *brokenFS) used() int {
	n := 0
	for _, node := range b.names {
		n += len(node.data)
	}
	return n
}

func (b *brokenFS) Lock(name string) (io.Closer, error) {
	err := b.call(func() error {
		if b.locked[name] {
			return &journal.LockedError{PID: 42}
		}
		b.locked[name] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return unlock(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.locked, name)
	}), nil
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

// brokenFile is a file of a brokenFS.
type brokenFile struct {
	fs *brokenFS
	n  *inode
}

func (n *inode) cutTo(size int) {
	if size < len(n.data) {
		n.data = slices.Clone(n.data[:size])
		n.shrunk = true
	}
}

func (n *inode) write(p []byte, off int) {
	if grow := off + len(p) - len(n.data); grow > 0 {
		n.data = append(n.data, make([]byte, grow)...)
	}
	copy(n.data[off:], p)
	for i := off / block; i*block < off+len(p); i++ {
		n.dirty[i] = true
	}
}

func (f *brokenFile) WriteVec(bufs [][]byte, offset int64) error {
	p := slices.Concat(bufs...)
	wrote := false
	err := f.fs.call(func() error {
		wrote = true
		grow := max(int(offset)+len(p)-len(f.n.data), 0)
		if c := f.fs.capacity; c > 0 && f.fs.used()+grow > c {
			f.n.write(p[:max(0, len(p)-grow+c-f.fs.used())], int(offset))
			return syscall.ENOSPC
		}
		f.n.write(p, int(offset))
		return nil
	})
	if errors.Is(err, syscall.EIO) && !wrote && len(p) > 0 {
		f.fs.mu.Lock()
		defer f.fs.mu.Unlock()
		f.n.write(p[:f.fs.rng.IntN(len(p))], int(offset))
	}
	return err
}

func (f *brokenFile) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.fs.call(func() error {
		if off < int64(len(f.n.data)) {
			n = copy(p, f.n.data[off:])
		}
		if n < len(p) {
			return io.EOF
		}
		return nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		n = 0
	}
	return n, err
}

func (f *brokenFile) Truncate(size int64) error {
	return f.fs.call(func() error {
		f.n.cutTo(int(size))
		return nil
	})
}

// Sync makes the content durable. One that fails is like Linux's: what was dirty
// counts as clean afterwards, whether or not it reached the disk.
func (f *brokenFile) Sync() error {
	err := f.fs.call(func() error {
		if !f.fs.cut {
			f.n.flush()
		}
		return nil
	})
	if errors.Is(err, syscall.EIO) {
		f.fs.mu.Lock()
		defer f.fs.mu.Unlock()
		if f.fs.rng.IntN(2) == 0 {
			f.n.flush()
		}
		f.n.dirty = map[int]bool{}
	}
	return err
}

func (n *inode) flush() {
	if n.shrunk {
		n.disk = n.disk[:min(len(n.disk), len(n.data))]
	}
	for i := range n.dirty {
		from, to := i*block, min((i+1)*block, len(n.data))
		if from >= to {
			continue
		}
		if grow := to - len(n.disk); grow > 0 {
			n.disk = append(n.disk, make([]byte, grow)...)
		}
		copy(n.disk[from:to], n.data[from:to])
	}
	n.dirty, n.shrunk = map[int]bool{}, false
}

func (f *brokenFile) Size() (size int64, err error) {
	err = f.fs.call(func() error {
		size = int64(len(f.n.data))
		return nil
	})
	return size, err
}

func (f *brokenFile) Close() error { return f.fs.call(func() error { return nil }) }

// failFrom makes n calls fail, beginning with the next-th from now.
func (b *brokenFS) failFrom(next, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failAt, b.failFor = b.calls+next, n
}

func (b *brokenFS) setCapacity(bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.capacity = bytes
}

// loaded gives a file system that holds these files in /data.
func loaded(files map[string][]byte) *brokenFS {
	b := newBrokenFS(1)
	for name, content := range files {
		n := &inode{data: slices.Clone(content), disk: slices.Clone(content), dirty: map[int]bool{}}
		b.names["/data/"+name], b.durable["/data/"+name] = n, n
	}
	return b
}
