package export

import "treq/telemetry/otlp"

// mendTexts replaces what is not UTF-8 in the texts of a batch that was refused, and
// tells whether there was any: a strict reader refuses a request for one such text, and
// the spans would be lost for a letter that an SDK cut in two.
func (b *batch) mendTexts() bool {
	if b.path != "" {
		return false
	}
	mended := false
	for i := range b.pieces {
		p := &b.pieces[i]
		data, err := p.bytes()
		if err != nil {
			continue // packing finds the same, and buries the record
		}
		if sound, changed := otlp.TracesInUTF8(data); changed {
			p.data, p.whole, mended = sound, false, true
		}
	}
	return mended
}
