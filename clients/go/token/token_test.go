package token_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/doorward/doorward/clients/go/internal/replay"
	"github.com/doorward/doorward/clients/go/token"
	"github.com/doorward/doorward/clients/go/types"
)

type vectors struct {
	Read []struct {
		Token, Tenant, Grant string
		Blocks               []struct {
			Narrowing string
			Caveats   []json.RawMessage
		}
	}
	Refuse []struct{ Why, Token string }
	Narrow []struct {
		Token, ID, Text string
		Caveats         []json.RawMessage
		Error           *string
	}
	Check []struct {
		Token  string
		Facts  facts
		Broken *string
	}
}

type facts struct {
	Now                                                                            time.Time
	Integration, Operation, Access, Resource, Host, Method, Path, Address, Purpose string
	Environment                                                                    string
	UID                                                                            *uint32
	Cgroup                                                                         *string
	Secrets                                                                        []string
	Key                                                                            string
	Inputs                                                                         map[string]string
}

func read(t *testing.T) (found vectors) {
	replay.Read(t, "tokens.json", &found)
	return found
}

func parsed(t *testing.T, text string) *token.Token {
	t.Helper()
	read, err := token.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func same(t *testing.T, caveat token.Caveat, written json.RawMessage) {
	t.Helper()
	data, err := json.Marshal(caveat)
	if err != nil {
		t.Fatal(err)
	}
	exact := func(data []byte) (value any) {
		decoder := json.NewDecoder(strings.NewReader(string(data)))
		decoder.UseNumber()
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	if !reflect.DeepEqual(exact(data), exact(written)) {
		t.Errorf("%s, not %s", data, written)
	}
	if again, err := token.OfJSON(written); err != nil || again.String() != caveat.String() {
		t.Errorf("%s is read as %s: %v", written, again, err)
	}
}

func TestEveryTokenIsReadAsTheBrokerReadsIt(t *testing.T) {
	for _, each := range read(t).Read {
		found := parsed(t, each.Token)
		if found.Tenant() != each.Tenant || found.Grant() != each.Grant || len(found.Blocks()) != len(each.Blocks) {
			t.Fatalf("%s, not %s", found, each.Grant)
		}
		for at, block := range found.Blocks() {
			if block.Narrowing.String() != each.Blocks[at].Narrowing || len(block.Caveats) != len(each.Blocks[at].Caveats) {
				t.Fatalf("%s, not %s", block.Narrowing, each.Blocks[at].Narrowing)
			}
			for at, written := range each.Blocks[at].Caveats {
				same(t, block.Caveats[at], written)
			}
		}
	}
}

func TestWhatIsNotCanonicalIsRefused(t *testing.T) {
	for _, each := range read(t).Refuse {
		if _, err := token.Parse(each.Token); err == nil {
			t.Errorf("%s was read", each.Why)
		}
	}
}

func TestANarrowingIsTheBrokersToTheByteOrIsRefusedAsWider(t *testing.T) {
	for _, each := range read(t).Narrow {
		var id token.ID
		raw, _ := hex.DecodeString(each.ID)
		copy(id[:], raw)
		var less []token.Caveat
		var err error
		for _, written := range each.Caveats {
			caveat, wrong := token.OfJSON(written)
			err = errors.Join(err, wrong)
			less = append(less, caveat)
		}
		var child *token.Token
		if err == nil {
			child, err = parsed(t, each.Token).NarrowAs(id, less...)
		}
		switch {
		case each.Error == nil && err != nil:
			t.Error(err)
		case each.Error == nil && child.Expose() != each.Text:
			t.Errorf("%s, not %s", child.Expose(), each.Text)
		case each.Error != nil && (err == nil || !strings.Contains(err.Error(), *each.Error)):
			t.Errorf("%s: %v, not %q", each.Caveats, err, *each.Error)
		}
	}
}

func TestACallKeepsAndBreaksCaveatsAsAtTheBroker(t *testing.T) {
	for _, each := range read(t).Check {
		given := each.Facts
		key, _ := hex.DecodeString(given.Key)
		err := parsed(t, each.Token).Check(token.Facts{
			Now: given.Now, Integration: given.Integration, Operation: given.Operation, Access: given.Access,
			Resource: given.Resource, Host: given.Host, Method: given.Method, Path: given.Path, Address: given.Address,
			Environment: given.Environment, Purpose: given.Purpose, Inputs: given.Inputs, Secrets: given.Secrets,
			Holder: token.HolderFacts{UID: given.UID, Cgroup: given.Cgroup, Key: key},
		})
		var broken *token.Broken
		found := ""
		if errors.As(err, &broken) {
			found = broken.Kind
		}
		if each.Broken == nil && err != nil || each.Broken != nil && found != *each.Broken {
			t.Errorf("%s: %v", parsed(t, each.Token).Caveats(), err)
		}
	}
}

func TestATokenIsNeitherPrintedNorWritten(t *testing.T) {
	text := read(t).Read[0].Token
	found := parsed(t, text)
	shown := fmt.Sprintf("%v %+v %#v %s %x %d", found, found, *found, *found, found, found)
	if strings.Contains(shown, text[len(text)-30:len(text)-8]) {
		t.Error(shown)
	}
	secret := types.NewSecret([]byte("canary"))
	held := types.Capability{ID: "cap_1", Token: secret}
	shown += fmt.Sprintf("%v %+v %#v %s %x %d %v", secret, secret, *secret, *secret, secret, secret, held)
	if strings.Contains(shown, "canary") || strings.Contains(shown, fmt.Sprintf("%x", "canary")) || strings.Contains(shown, "99 97") {
		t.Error(shown)
	}
	if data, err := json.Marshal(held); err == nil {
		t.Errorf("%s", data)
	}
	if data, err := json.Marshal(found); err == nil {
		t.Errorf("%s", data)
	}
}

func TestAWrongCaveatIsRefusedWhenItIsNarrowedWith(t *testing.T) {
	parent := parsed(t, read(t).Read[0].Token)
	for _, caveat := range []token.Caveat{
		token.Uses(0), token.Access("admin"), token.Operations(), token.Rate(0, 1), token.CIDR("10.0.0.1/8"), {},
	} {
		if _, err := parent.Narrow(caveat); err == nil {
			t.Errorf("%s was taken", caveat)
		}
	}
	first, err := parent.Narrow(token.Uses(1))
	second, other := parent.Narrow(token.Uses(1))
	if err != nil || other != nil || first.Expose() == second.Expose() {
		t.Error("two narrowings have one id")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("cap1_BWxvY2FsEBESExQVFhcYGRobHB0eHwBCICEiIyQlJicoKSorLC0uLwICACMCAA9zbGFjay9hdXRoLnRlc3QAD3NsYWNrL2NoYXQucG9zdAkACAAAAbjaxbQAWvVDMeYbpNEo4Mg5bcYR45Sthb11wSiDVP4rMMdXACk_I_ADUA")
	f.Fuzz(func(t *testing.T, text string) {
		read, err := token.Parse(text)
		if err == nil && read.Expose() != text {
			t.Error("a token has two texts")
		}
	})
}
