// Package token reads, narrows and checks capability tokens (cap1_…) in process, without a key, an agent or a network.
//
// Reading a token proves nothing about who made it: only the broker has the key for that. What this package can say is
// what a token allows, so that a program notices a call that must fail before it makes it, and hands on less than it has.
//
//	parent, err := token.Parse(text)
//	child, err := parent.Narrow(token.Access("read"), token.Uses(3), token.Expires(10*time.Minute))
//	err = child.Check(token.Facts{Integration: "slack", Operation: "auth.test", Access: "read", Now: time.Now()})
package token

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
)

const (
	prefix  = "cap1_"
	longest = 8192
	blocks  = 32
	caveats = 64
)

// ID names a narrowing: 16 bytes, which a revocation may name.
type ID [16]byte

// String is as it stands in lists: cap_ and 26 letters.
func (id ID) String() string { return ulid("cap_", id) }

// Block is one narrowing and what it takes away.
type Block struct {
	Narrowing ID
	Caveats   []Caveat
}

// Token is a capability in the hands of its holder. Whoever has its text may use it, so it is not printed.
type Token struct {
	text   string
	signed []byte
	tag    []byte
	tenant string
	grant  ID
	blocks []Block
}

// Parse reads a token. There is one spelling of each; every other text is refused.
func Parse(text string) (*Token, error) {
	switch {
	case len(text) > longest:
		return nil, errors.New("a capability cannot hold more than 8 KiB")
	case !strings.HasPrefix(text, prefix):
		return nil, malformed("it does not start with `cap1_`")
	case len(text) < len(prefix)+7:
		return nil, malformed("it is too short")
	}
	body, tail := text[:len(text)-7], text[len(text)-7:]
	if tail != "_"+checksum(body) {
		return nil, errors.New("the capability was mistyped or cut off")
	}
	decoded, err := coding.DecodeString(body[len(prefix):])
	// The decoder skips new lines, which would be a second spelling.
	if err != nil || coding.EncodeToString(decoded) != body[len(prefix):] {
		return nil, malformed("it is not canonical base 64")
	}
	return read(text, decoded)
}

func read(text string, body []byte) (*Token, error) {
	if len(body) < sha256.Size {
		return nil, malformed("it is too short")
	}
	cut := len(body) - sha256.Size
	token := &Token{text: text, signed: body[:cut:cut], tag: body[cut:]}
	reader := &reader{rest: token.signed}
	token.tenant = string(reader.take(int(reader.u8())))
	copy(token.grant[:], reader.take(16))
	if reader.err == nil && !isLabel(token.tenant) {
		return nil, malformed("the tenant")
	}
	for reader.err == nil && len(reader.rest) > 0 {
		if len(token.blocks) == blocks {
			return nil, errors.New("a capability cannot hold more than 32 narrowings")
		}
		coded := reader.take(int(reader.u16()))
		if reader.err != nil {
			break
		}
		block, err := readBlock(coded)
		if err != nil {
			return nil, err
		}
		for _, other := range token.blocks {
			if other.Narrowing == block.Narrowing {
				return nil, malformed("a narrowing comes twice")
			}
		}
		token.blocks = append(token.blocks, block)
	}
	if reader.err != nil {
		return nil, reader.err
	}
	if len(token.blocks) == 0 {
		return nil, malformed("it has no block")
	}
	return token, nil
}

func readBlock(coded []byte) (Block, error) {
	reader := &reader{rest: coded}
	var block Block
	copy(block.Narrowing[:], reader.take(16))
	count := int(reader.u8())
	if count > caveats {
		return block, errors.New("a capability cannot hold more than 64 caveats in one narrowing")
	}
	var before []byte
	for at := 0; at < count && reader.err == nil; at++ {
		start := reader.rest
		caveat, err := readCaveat(reader)
		if err != nil {
			return block, err
		}
		bytesOf := start[:len(start)-len(reader.rest)]
		if bytes.Compare(bytesOf, before) <= 0 {
			return block, malformed("its caveats are out of order")
		}
		before = bytesOf
		block.Caveats = append(block.Caveats, caveat)
	}
	reader.end()
	return block, reader.err
}

// Narrow is the same capability with less: these caveats as well. A caveat that is plainly wider than one that it comes
// from is refused, because somebody believes to give more.
func (t *Token) Narrow(less ...Caveat) (*Token, error) {
	var id ID
	// The time first, so that ids sort by it.
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16)
	if _, err := rand.Read(id[6:]); err != nil {
		return nil, err
	}
	return t.NarrowAs(id, less...)
}

// NarrowAs is [Token.Narrow] with an id that the caller has chosen.
func (t *Token) NarrowAs(id ID, less ...Caveat) (*Token, error) {
	var coded [][]byte
	for _, caveat := range less {
		if caveat.err != nil {
			return nil, caveat.err
		}
		if caveat.value == nil {
			return nil, errors.New("an empty caveat takes nothing away")
		}
		for _, parent := range t.Caveats() {
			if what, wider := caveat.wider(parent); wider {
				return nil, fmt.Errorf("`%s` is wider than the grant it comes from", what)
			}
		}
		coded = append(coded, caveat.encoded)
	}
	slices.SortFunc(coded, bytes.Compare)
	coded = slices.CompactFunc(coded, bytes.Equal)
	if len(coded) > caveats {
		return nil, errors.New("a capability cannot hold more than 64 caveats in one narrowing")
	}
	content := append(id[:], byte(len(coded)))
	content = append(content, bytes.Join(coded, nil)...)
	if len(content) > 0xffff {
		return nil, errors.New("a capability cannot hold more than 8 KiB")
	}
	block := append(binary.BigEndian.AppendUint16(nil, uint16(len(content))), content...)
	mac := hmac.New(sha256.New, t.tag)
	mac.Write(block)
	body := mac.Sum(append(slices.Clone(t.signed), block...))
	text := prefix + coding.EncodeToString(body)
	text += "_" + checksum(text)
	if len(text) > longest {
		return nil, errors.New("a capability cannot hold more than 8 KiB")
	}
	return read(text, body)
}

// Expose is the text, to hand it to its holder.
func (t *Token) Expose() string { return t.text }

// Tenant is the tenant that it is for.
func (t *Token) Tenant() string { return t.tenant }

// Grant is the grant that it comes from.
func (t *Token) Grant() string { return ulid("grt_", t.grant) }

// Blocks are its narrowings, from the root to the last one.
func (t *Token) Blocks() []Block { return slices.Clone(t.blocks) }

// Caveats are those of all narrowings. They all apply.
func (t *Token) Caveats() []Caveat {
	var all []Caveat
	for _, block := range t.blocks {
		all = append(all, block.Caveats...)
	}
	return all
}

// Check says which caveat a call with these facts breaks first. A fact that a caveat is about and that is absent breaks
// it. That none is broken proves nothing: see the package.
func (t *Token) Check(facts Facts) error {
	for _, caveat := range t.Caveats() {
		if !caveat.holds(facts) {
			return &Broken{caveat.kind, "the capability " + caveat.says(facts)}
		}
	}
	return nil
}

// Broken is a caveat that a call breaks.
type Broken struct {
	// Kind is the word for the caveat, such as not_after.
	Kind    string
	message string
}

func (b *Broken) Error() string { return b.message }

// String hides the text.
func (t Token) String() string {
	return fmt.Sprintf("token of %s, tenant %s, %d narrowings", t.Grant(), t.tenant, len(t.blocks))
}

// Format hides the text, whatever the verb.
func (t Token) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, t.String()) }

// MarshalJSON refuses: a token goes nowhere by accident.
func (t Token) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a token is not written as JSON; use Expose")
}

func checksum(text string) string {
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE([]byte(text)))
	return coding.EncodeToString(sum[:])
}

func ulid(name string, id ID) string {
	number := new(big.Int).SetBytes(id[:])
	text := make([]byte, 26)
	low := big.NewInt(31)
	for at := 25; at >= 0; at-- {
		text[at] = crockford[new(big.Int).And(number, low).Int64()]
		number.Rsh(number, 5)
	}
	return name + string(text)
}

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

func malformed(why string) error { return errors.New("the capability is not well formed: " + why) }

var coding = base64.RawURLEncoding.Strict()
