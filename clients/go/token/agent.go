package token

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// The caveats that the agent's own words become: what a capability reaches, and when.

const (
	everyHour = 1<<24 - 1
	everyDay  = 1<<7 - 1
)

func (v reach) content() []byte { return putText([]byte{v.actions}, v.resource) }

func (v reach) names() []string {
	var names []string
	for at, name := range actions {
		if v.actions>>at&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

func (v reach) shown() string { return strings.Join(v.names(), ", ") + " on " + v.resource }
func (v reach) written() any  { return map[string]any{"actions": v.names(), "resource": v.resource} }

func (v reach) check() error {
	if v.actions == 0 || v.actions > 31 || !isNamed(v.resource) {
		return errors.New("a reach has actions such as `read`, and a resource such as `secret:/db/primary`")
	}
	return nil
}

func (v reach) has(action string) bool {
	return v.actions&(1<<slices.Index(actions, action)|1<<4) != 0
}

func (v reach) covers(name string) bool {
	return isNamed(name) && !strings.HasSuffix(name, "*") && coversResource(v.resource, name)
}

func (v reach) allows(facts Facts) bool {
	word, _, _ := strings.Cut(v.resource, ":")
	if facts.Integration == "doorward" {
		ofSecrets := map[string]string{
			"secret.reveal": "read", "secret.put": "write", "secret.rotate": "write", "secret.forget": "delete",
		}
		needed, known := ofSecrets[facts.Operation]
		if word == "log" {
			needed, known = "write", facts.Operation == "log.append"
		}
		return known && (word == "secret" || word == "log") && v.has(needed) && v.covers(facts.Resource)
	}
	reads := facts.Access == "read" && v.has("read")
	switch word {
	case "secret":
		foreign := func(name string) bool { return !v.covers(name) }
		return len(facts.Secrets) > 0 && !slices.ContainsFunc(facts.Secrets, foreign) && (reads || v.has("execute"))
	case "op":
		return v.covers("op:/"+facts.Integration+"/"+facts.Operation) && (reads || v.has("write") || v.has("execute"))
	case "tool":
		// A tool without a folder is an operation of the integration `tools`.
		folder := facts.Integration + "/"
		if facts.Integration == "tools" {
			folder = ""
		}
		return v.has("execute") && v.covers("tool:/"+folder+facts.Operation)
	}
	return false
}

func (v reach) exceeds(old reach) bool {
	return !(old.has("admin") || v.actions&^old.actions == 0) || !coversResource(old.resource, v.resource)
}

func (v window) content() []byte {
	return putList(append(binary.BigEndian.AppendUint32(nil, v.hours), v.days), v.zones)
}

func (v window) numbers() []int {
	var numbers []int
	for at := 0; at < 24; at++ {
		if v.hours>>at&1 == 1 {
			numbers = append(numbers, at)
		}
	}
	return numbers
}

func (v window) shown() string {
	var shown []string
	for _, hour := range v.numbers() {
		shown = append(shown, fmt.Sprintf("%02d", hour))
	}
	on := hours{days: v.days}.names()
	return strings.Join(on, ",") + " at " + strings.Join(shown, ",") + " " + v.zones.shown()
}

func (v window) written() any {
	out := map[string]any{"zones": []string(v.zones)}
	if v.hours != everyHour {
		out["hours"] = v.numbers()
	}
	if v.days != everyDay {
		out["days"] = hours{days: v.days}.names()
	}
	return out
}

func (v window) check() error {
	always := v.hours == everyHour && v.days == everyDay
	graphic := func(zone string) bool {
		odd := func(letter rune) bool { return letter < '!' || letter > '~' }
		return zone == "" || len(zone) > 64 || strings.ContainsFunc(zone, odd)
	}
	if v.hours == 0 || v.hours > everyHour || v.days == 0 || v.days > everyDay || always || slices.ContainsFunc(v.zones, graphic) {
		return errors.New("a window has hours from 0 to 23 and days such as `mon`, not all of both, and zones")
	}
	if !slices.IsSorted(v.zones) || len(slices.Compact(slices.Clone(v.zones))) != len(v.zones) {
		return malformed("a list is empty or out of order")
	}
	return counted(len(v.zones))
}

func (v window) contains(now time.Time) bool {
	for _, name := range v.zones {
		zone, err := time.LoadLocation(name)
		if err != nil || now.IsZero() {
			return false
		}
		local := now.In(zone)
		if v.hours>>local.Hour()&1 == 0 || v.days>>((int(local.Weekday())+6)%7)&1 == 0 {
			return false
		}
	}
	return true
}

func (v blackout) content() []byte {
	out := []byte{byte(len(v))}
	for _, span := range v {
		out = binary.BigEndian.AppendUint64(out, uint64(span.Start.UnixMilli()))
		out = binary.BigEndian.AppendUint64(out, uint64(span.End.UnixMilli()))
	}
	return out
}

func (v blackout) shown() string {
	var parts []string
	for _, span := range v {
		parts = append(parts, shownTime(span.Start)+" to "+shownTime(span.End))
	}
	return strings.Join(parts, ", ")
}

func (v blackout) written() any {
	var spans []map[string]string
	for _, span := range v {
		spans = append(spans, map[string]string{"start": shownTime(span.Start), "end": shownTime(span.End)})
	}
	return spans
}

func (v blackout) check() error {
	for at, span := range v {
		if span.Start.UnixMilli() < 0 || span.Start.UnixMilli() >= span.End.UnixMilli() {
			return errors.New("a span of a blackout has a start and a later end")
		}
		if at > 0 && compareSpans(v[at-1], span) >= 0 {
			return malformed("a list is empty or out of order")
		}
	}
	return counted(len(v))
}

func (v blackout) contains(now time.Time) bool {
	at := now.UnixMilli()
	return slices.ContainsFunc(v, func(span Span) bool { return span.Start.UnixMilli() <= at && at < span.End.UnixMilli() })
}

func shownTime(time time.Time) string { return moment(time.UnixMilli()).shown() }

func compareSpans(a, b Span) int {
	if order := a.Start.Compare(b.Start); order != 0 {
		return order
	}
	return a.End.Compare(b.End)
}

// runID reads run_ and 26 letters.
func runID(text string) (id ID, ok bool) {
	letters, found := strings.CutPrefix(text, "run_")
	if !found || len(letters) != 26 || letters[0] > '7' {
		return id, false
	}
	number := new(big.Int)
	for _, letter := range letters {
		at := strings.IndexRune(crockford, letter)
		if at < 0 {
			return id, false
		}
		number.Lsh(number, 5).Or(number, big.NewInt(int64(at)))
	}
	number.FillBytes(id[:])
	return id, true
}
