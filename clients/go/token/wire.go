package token

import "encoding/binary"

// reader reads from the front and never looks beyond the end; its first failure stays.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(length int) []byte {
	if r.err == nil && len(r.rest) < length {
		r.err = malformed("something is missing at its end")
	}
	if r.err != nil {
		return make([]byte, length)
	}
	taken := r.rest[:length]
	r.rest = r.rest[length:]
	return taken
}

func (r *reader) u8() uint8   { return r.take(1)[0] }
func (r *reader) u16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

func (r *reader) text() string { return string(r.take(int(r.u16()))) }

func (r *reader) texts() []string {
	var texts []string
	for count := int(r.u8()); count > 0 && r.err == nil; count-- {
		texts = append(texts, r.text())
	}
	return texts
}

func (r *reader) end() {
	if r.err == nil && len(r.rest) > 0 {
		r.err = malformed("something is left over")
	}
}

func putText(out []byte, text string) []byte {
	out = binary.BigEndian.AppendUint16(out, uint16(len(text)))
	return append(out, text...)
}

func putList(out []byte, texts []string) []byte {
	out = append(out, byte(len(texts)))
	for _, text := range texts {
		out = putText(out, text)
	}
	return out
}
