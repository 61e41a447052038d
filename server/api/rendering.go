package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"
)

// maxStale is the age at which a rendering is made anew even if nothing was
// posted: spans are counted meanwhile, and the process's own numbers move.
const maxStale = 100 * time.Millisecond

// renewAge is the age from which on whoever was answered makes the next rendering,
// so that those who ask often never wait for one.
const renewAge = maxStale / 2

// rendering is a document as it was last rendered. One caller renders, those that
// need what it makes wait for it and share the bytes; all others take the last one
// without waiting for anybody. The zero value is ready to use.
type rendering struct {
	last  atomic.Pointer[rendered]
	works sync.Mutex // held by who renders
}

// rendered is one rendering. It never changes.
type rendered struct {
	body    []byte
	etag    string
	version uint64
	made    time.Time
}

// serves tells whether r, which may be nil, answers at now when posts have come to version.
func (r *rendered) serves(version uint64, now time.Time, most time.Duration) bool {
	if r == nil || r.version != version {
		return false
	}
	age := now.Sub(r.made)
	return age >= 0 && age <= most
}

// get gives the rendering if it is young and no post was counted since, else makes one.
func (c *rendering) get(m Meter, now func() time.Time, make func() (any, error)) (*rendered, error) {
	if r := c.last.Load(); r.serves(m.Version(), now(), maxStale) {
		return r, nil
	}
	c.works.Lock()
	defer c.works.Unlock()
	// Read before the document is made: a post that is counted meanwhile makes
	// this rendering old, whether it is in it or not.
	version := m.Version()
	if r := c.last.Load(); r.serves(version, now(), maxStale) {
		return r, nil
	}
	return c.render(version, now, make)
}

// due tells whether renew would make a rendering unless somebody does already.
func (c *rendering) due(m Meter, now func() time.Time) bool {
	return !c.last.Load().serves(m.Version(), now(), renewAge)
}

// renew makes a rendering for those who ask next, if the last one is no longer
// young and nobody is at it. One that cannot be made is told to who asks next.
func (c *rendering) renew(m Meter, now func() time.Time, make func() (any, error)) {
	if !c.works.TryLock() {
		return
	}
	defer c.works.Unlock()
	if version := m.Version(); !c.last.Load().serves(version, now(), renewAge) {
		_, _ = c.render(version, now, make)
	}
}

func (c *rendering) render(version uint64, now func() time.Time, make func() (any, error)) (*rendered, error) {
	v, err := make()
	if err != nil {
		return nil, err
	}
	body, err := encode(v)
	if err != nil {
		return nil, err
	}
	r := &rendered{body: body, etag: etagOf(body), version: version, made: now()}
	c.last.Store(r)
	return r, nil
}

func etagOf(body []byte) string {
	return `"` + strconv.FormatUint(xxh3.Hash(body), 36) + `"`
}

// encode gives v as JSON as people write it: no HTML escapes, no final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
