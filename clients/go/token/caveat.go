package token

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Caveat is one thing that a capability does not allow beyond. A wrong one is refused when it is narrowed with.
type Caveat struct {
	kind    string
	value   value
	encoded []byte
	err     error
}

// value is one of texts, cidrs, flag, moment, number, text, rate, hours, holder, inputs.
type value interface {
	// content is its byte form.
	content() []byte
	// shown is how people read it.
	shown() string
	// written is its form in files.
	written() any
}

type (
	texts []string
	cidrs []netip.Prefix
	flag  struct {
		names [2]string
		at    uint8
	}
	moment uint64
	number uint64
	text   string
	rate   struct{ calls, seconds uint32 }
	hours  struct {
		days     uint8
		from, to uint16
		zone     string
	}
	holder struct {
		uid    *uint32
		cgroup *string
		key    []byte
		run    *ID
	}
	reach struct {
		actions  uint8
		resource string
	}
	window struct {
		hours uint32
		days  uint8
		zones texts
	}
	blackout []Span
	inputs   []input
	input    struct {
		name   string
		values texts
	}
)

var (
	kinds = []string{
		"integrations", "operations", "access", "resources", "hosts", "methods", "path_prefix", "not_before", "not_after",
		"hours", "cidr", "environment", "rate", "uses", "purpose", "holder", "approval", "inputs",
		"reach", "window", "blackout",
	}
	actions   = []string{"read", "write", "delete", "execute", "admin"}
	week      = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	accesses  = [2]string{"read", "write"}
	approvals = [2]string{"all", "writes"}
)

const (
	listLongest = 64
	day         = 24 * 60
)

// Kind is the word for it, as in files.
func (c Caveat) Kind() string { return c.kind }

// String is how people read it.
func (c Caveat) String() string {
	if c.err != nil {
		return "wrong caveat: " + c.err.Error()
	}
	return c.kind + " " + c.value.shown()
}

// MarshalJSON is its form in files, such as {"uses":3}.
func (c Caveat) MarshalJSON() ([]byte, error) {
	if c.err != nil {
		return nil, c.err
	}
	return json.Marshal(map[string]any{c.kind: c.value.written()})
}

func made(kind string, v value, err error) Caveat {
	if err != nil {
		return Caveat{kind: kind, err: err}
	}
	content := v.content()
	encoded := []byte{byte(slices.Index(kinds, kind) + 1)}
	encoded = binary.BigEndian.AppendUint16(encoded, uint16(len(content)))
	return Caveat{kind: kind, value: v, encoded: append(encoded, content...)}
}

func list(kind string, entries []string) Caveat {
	rule := rules[kind]
	for _, entry := range entries {
		if !rule.valid(entry) {
			return Caveat{kind: kind, err: fmt.Errorf("`%s` is not %s", entry, rule.what)}
		}
	}
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, rule.order)
	sorted = slices.Compact(sorted)
	return made(kind, texts(sorted), counted(len(sorted)))
}

func counted(count int) error {
	if count < 1 || count > listLongest {
		return fmt.Errorf("a list has 1 to 64 entries, not %d", count)
	}
	return nil
}

// Integrations allows only these integrations.
func Integrations(names ...string) Caveat { return list("integrations", names) }

// Operations allows only these operations: slack/chat.post, slack/chat.* or slack/*.
func Operations(patterns ...string) Caveat { return list("operations", patterns) }

// Access allows at most this access: read or write.
func Access(most string) Caveat { return chosen("access", accesses, most) }

// Resources allows only these resources; a * at the end stands for anything.
func Resources(patterns ...string) Caveat { return list("resources", patterns) }

// Hosts allows only upstreams of these names, without port.
func Hosts(names ...string) Caveat { return list("hosts", names) }

// Methods allows only these methods of HTTP.
func Methods(names ...string) Caveat { return list("methods", names) }

// PathPrefix allows only these paths of the upstream and what is below them.
func PathPrefix(paths ...string) Caveat { return list("path_prefix", paths) }

// NotBefore allows calls from this time on.
func NotBefore(start time.Time) Caveat { return at("not_before", start) }

// NotAfter allows calls before this time.
func NotAfter(end time.Time) Caveat { return at("not_after", end) }

// Expires allows calls until so long from now, by the clock of this machine.
func Expires(after time.Duration) Caveat { return NotAfter(time.Now().Add(after)) }

// Hours allows calls on these days (mon to sun) between these times (09:00) in this IANA time zone.
func Hours(days []string, from, to, zone string) Caveat {
	v, err := hoursOf(days, from, to, zone)
	return made("hours", v, err)
}

// CIDR allows only these networks.
func CIDR(networks ...string) Caveat {
	var found cidrs
	for _, text := range networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return Caveat{kind: "cidr", err: fmt.Errorf("`%s` is no network: an address and a prefix such as `10.0.0.0/8`", text)}
		}
		found = append(found, network)
	}
	slices.SortFunc(found, compareNetworks)
	found = slices.Compact(found)
	return made("cidr", found, errors.Join(counted(len(found)), found.check()))
}

// Environment allows calls only where the broker serves one of these.
func Environment(names ...string) Caveat { return list("environment", names) }

// Rate allows so many calls in so many seconds.
func Rate(calls, seconds uint32) Caveat {
	v := rate{calls, seconds}
	return made("rate", v, v.check())
}

// Uses allows so many calls ever.
func Uses(most uint64) Caveat { return made("uses", number(most), number(most).check()) }

// Purpose allows calls only for this purpose.
func Purpose(purpose string) Caveat { return made("purpose", text(purpose), text(purpose).check()) }

// HolderFacts name a process, or a key by the 32 bytes of its thumbprint. Nil facts are not asked for.
type HolderFacts struct {
	UID    *uint32
	Cgroup *string
	Key    []byte
	// Run is what `doorward run` started, such as run_01j….
	Run *string
}

// Holder allows only this process or this key.
func Holder(is HolderFacts) Caveat {
	v := holder{is.UID, is.Cgroup, slices.Clone(is.Key), nil}
	if is.Run != nil {
		id, ok := runID(*is.Run)
		if !ok {
			return Caveat{kind: "holder", err: fmt.Errorf("`%s` is no run", *is.Run)}
		}
		v.run = &id
	}
	return made("holder", v, v.check())
}

// Reach allows only what the agent's words reach: read on secret:/db/primary.
func Reach(names []string, resource string) Caveat {
	v := reach{resource: resource}
	for _, name := range names {
		at := slices.Index(actions, name)
		if at < 0 {
			return Caveat{kind: "reach", err: fmt.Errorf("`%s` is no action: %s", name, strings.Join(actions, ", "))}
		}
		v.actions |= 1 << at
	}
	return made("reach", v, v.check())
}

// Window allows calls only in these hours (0 to 23) of these days (mon to sun), in each of these time zones. No hours are
// all hours, and no days are all days.
func Window(hours []int, days []string, zones ...string) Caveat {
	v := window{zones: slices.Clone(zones)}
	for _, hour := range hours {
		if hour < 0 || hour > 23 {
			return Caveat{kind: "window", err: fmt.Errorf("%d is no hour from 0 to 23", hour)}
		}
		v.hours |= 1 << hour
	}
	for _, name := range days {
		at := slices.Index(week, name)
		if at < 0 {
			return Caveat{kind: "window", err: fmt.Errorf("`%s` is no day: `mon` to `sun`", name)}
		}
		v.days |= 1 << at
	}
	if v.hours == 0 {
		v.hours = everyHour
	}
	if v.days == 0 {
		v.days = everyDay
	}
	slices.Sort(v.zones)
	v.zones = slices.Compact(v.zones)
	return made("window", v, v.check())
}

// Span is from its start until before its end.
type Span struct{ Start, End time.Time }

// Blackout allows no call in these spans of time.
func Blackout(spans ...Span) Caveat {
	v := blackout(slices.Clone(spans))
	slices.SortFunc(v, compareSpans)
	v = slices.CompactFunc(v, func(a, b Span) bool { return compareSpans(a, b) == 0 })
	return made("blackout", v, v.check())
}

// Approval asks somebody first, for all calls or for writes.
func Approval(of string) Caveat { return chosen("approval", approvals, of) }

// Inputs allows calls that give each of these inputs with one of its values.
func Inputs(allowed map[string][]string) Caveat {
	var found inputs
	for name, values := range allowed {
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		found = append(found, input{name, slices.Compact(sorted)})
	}
	slices.SortFunc(found, func(a, b input) int { return strings.Compare(a.name, b.name) })
	return made("inputs", found, found.check())
}

// OfJSON reads the form of files, such as {"uses":3}.
func OfJSON(data []byte) (Caveat, error) {
	var written map[string]json.RawMessage
	if err := json.Unmarshal(data, &written); err != nil || len(written) != 1 {
		return Caveat{}, errors.New("a caveat has one name, such as `uses`")
	}
	for kind, value := range written {
		caveat := ofJSON(kind, value)
		return caveat, caveat.err
	}
	return Caveat{}, nil
}

func ofJSON(kind string, data json.RawMessage) Caveat {
	wrong := Caveat{kind: kind, err: fmt.Errorf("`%s` is no value of `%s`", data, kind)}
	strict := func(into any) bool {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		return decoder.Decode(into) == nil
	}
	var (
		entries []string
		word    string
	)
	switch kind {
	case "cidr", "integrations", "operations", "resources", "hosts", "methods", "path_prefix", "environment":
		if !strict(&entries) {
			return wrong
		}
		if kind == "cidr" {
			return CIDR(entries...)
		}
		return list(kind, entries)
	case "access", "approval", "purpose":
		if !strict(&word) {
			return wrong
		}
		return map[string]func(string) Caveat{"access": Access, "approval": Approval, "purpose": Purpose}[kind](word)
	case "not_before", "not_after":
		var time time.Time
		if !strict(&time) {
			return wrong
		}
		return at(kind, time)
	case "uses":
		var most uint64
		if !strict(&most) {
			return wrong
		}
		return Uses(most)
	case "rate":
		var given struct {
			Calls uint32 `json:"calls"`
			Per   string `json:"per"`
		}
		if !strict(&given) {
			return wrong
		}
		per, err := time.ParseDuration(given.Per)
		seconds := per / time.Second
		if err != nil || per%time.Second != 0 || seconds < 1 || seconds > 1<<32-1 {
			return wrong
		}
		return Rate(given.Calls, uint32(seconds))
	case "hours":
		var given struct {
			Days []string `json:"days"`
			From string   `json:"from"`
			To   string   `json:"to"`
			Zone string   `json:"zone"`
		}
		if !strict(&given) {
			return wrong
		}
		return Hours(given.Days, given.From, given.To, given.Zone)
	case "holder":
		var given struct {
			UID    *uint32 `json:"uid"`
			Cgroup *string `json:"cgroup"`
			Key    *string `json:"key"`
			Run    *string `json:"run"`
		}
		if !strict(&given) {
			return wrong
		}
		facts := HolderFacts{UID: given.UID, Cgroup: given.Cgroup, Run: given.Run}
		if given.Key != nil {
			key, err := hex.DecodeString(*given.Key)
			if err != nil || len(key) != 32 || hex.EncodeToString(key) != *given.Key {
				return wrong
			}
			facts.Key = key
		}
		return Holder(facts)
	case "reach":
		var given struct {
			Actions  []string `json:"actions"`
			Resource string   `json:"resource"`
		}
		if !strict(&given) {
			return wrong
		}
		return Reach(given.Actions, given.Resource)
	case "window":
		var given struct {
			Hours []int    `json:"hours"`
			Days  []string `json:"days"`
			Zones []string `json:"zones"`
		}
		if !strict(&given) {
			return wrong
		}
		return Window(given.Hours, given.Days, given.Zones...)
	case "blackout":
		var given []Span
		if !strict(&given) {
			return wrong
		}
		return Blackout(given...)
	case "inputs":
		var given map[string][]string
		if !strict(&given) {
			return wrong
		}
		return Inputs(given)
	}
	return Caveat{kind: kind, err: fmt.Errorf("`%s` is no caveat", kind)}
}

func chosen(kind string, names [2]string, name string) Caveat {
	at := slices.Index(names[:], name)
	if at < 0 {
		return Caveat{kind: kind, err: fmt.Errorf("`%s` is no value of `%s`: `%s` or `%s`", name, kind, names[0], names[1])}
	}
	return made(kind, flag{names, uint8(at)}, nil)
}

func at(kind string, time time.Time) Caveat {
	if time.UnixMilli() < 0 {
		return Caveat{kind: kind, err: errors.New("a time lies after 1970")}
	}
	return made(kind, moment(time.UnixMilli()), nil)
}

// === reading ===

func readCaveat(from *reader) (Caveat, error) {
	kind, content := from.u8(), from.take(int(from.u16()))
	if from.err != nil {
		return Caveat{}, from.err
	}
	if kind < 1 || int(kind) > len(kinds) {
		return Caveat{}, fmt.Errorf("the capability holds a caveat of the unknown kind %d", kind)
	}
	name := kinds[kind-1]
	inner := &reader{rest: content}
	caveat := readValue(name, inner)
	inner.end()
	if err := errors.Join(inner.err, caveat.err); err != nil {
		return Caveat{}, err
	}
	// What was read must be written the same, or there would be two texts for one token.
	if !bytes.Equal(caveat.encoded[3:], content) {
		return Caveat{}, malformed("a list is empty or out of order")
	}
	return caveat, nil
}

func readValue(kind string, from *reader) Caveat {
	switch kind {
	case "access", "approval":
		names := accesses
		if kind == "approval" {
			names = approvals
		}
		at := from.u8()
		if at > 1 {
			return Caveat{err: wrong}
		}
		return made(kind, flag{names, at}, nil)
	case "not_before", "not_after":
		return made(kind, moment(from.u64()), nil)
	case "hours":
		v := hours{from.u8(), from.u16(), from.u16(), from.text()}
		return made(kind, v, v.check())
	case "cidr":
		var found cidrs
		for count := from.u8(); count > 0 && from.err == nil; count-- {
			length := map[uint8]int{4: 4, 6: 16}[from.u8()]
			address, ok := netip.AddrFromSlice(from.take(length))
			bits := int(from.u8())
			if !ok || bits > address.BitLen() {
				return Caveat{err: wrong}
			}
			found = append(found, netip.PrefixFrom(address, bits))
		}
		ascending := slices.IsSortedFunc(found, compareNetworks) && len(slices.Compact(slices.Clone(found))) == len(found)
		if from.err == nil && !ascending {
			return Caveat{err: malformed("a list is empty or out of order")}
		}
		return made(kind, found, errors.Join(counted(len(found)), found.check()))
	case "rate":
		v := rate{from.u32(), from.u32()}
		return made(kind, v, v.check())
	case "uses":
		v := number(from.u64())
		return made(kind, v, v.check())
	case "purpose":
		v := text(from.text())
		return made(kind, v, v.check())
	case "holder":
		flags := from.u8()
		var v holder
		if flags&1 != 0 {
			uid := from.u32()
			v.uid = &uid
		}
		if flags&2 != 0 {
			cgroup := from.text()
			v.cgroup = &cgroup
		}
		if flags&4 != 0 {
			v.key = slices.Clone(from.take(32))
		}
		if flags&8 != 0 {
			v.run = new(ID)
			copy(v.run[:], from.take(16))
		}
		if flags > 15 {
			return Caveat{err: wrong}
		}
		return made(kind, v, v.check())
	case "reach":
		v := reach{from.u8(), from.text()}
		return made(kind, v, v.check())
	case "window":
		v := window{from.u32(), from.u8(), from.texts()}
		return made(kind, v, v.check())
	case "blackout":
		var v blackout
		for count := from.u8(); count > 0 && from.err == nil; count-- {
			start, end := from.u64(), from.u64()
			v = append(v, Span{time.UnixMilli(int64(min(start, math.MaxInt64))), time.UnixMilli(int64(min(end, math.MaxInt64)))})
		}
		return made(kind, v, v.check())
	case "inputs":
		var found inputs
		for count := from.u8(); count > 0 && from.err == nil; count-- {
			found = append(found, input{from.text(), from.texts()})
		}
		ordered := slices.IsSortedFunc(found, func(a, b input) int { return strings.Compare(a.name, b.name) })
		if from.err == nil && !ordered {
			return Caveat{err: malformed("a list is empty or out of order")}
		}
		return made(kind, found, found.check())
	}
	return list(kind, from.texts())
}

var wrong = malformed("a caveat has a wrong value")

// === the values ===

func (v texts) content() []byte { return putList(nil, v) }
func (v texts) shown() string   { return strings.Join(v, ", ") }
func (v texts) written() any    { return []string(v) }

func (v cidrs) content() []byte {
	out := []byte{byte(len(v))}
	for _, network := range v {
		family := byte(4)
		if network.Addr().Is6() {
			family = 6
		}
		out = append(append(append(out, family), network.Addr().AsSlice()...), byte(network.Bits()))
	}
	return out
}

func (v cidrs) names() []string {
	var names []string
	for _, network := range v {
		names = append(names, network.String())
	}
	return names
}

func (v cidrs) shown() string { return strings.Join(v.names(), ", ") }
func (v cidrs) written() any  { return v.names() }

func (v cidrs) check() error {
	for _, network := range v {
		if network.Masked() != network || network.Addr().Is4In6() || network.Addr().Zone() != "" {
			return fmt.Errorf("`%s` is no network: no bit behind the prefix is set, and IPv4 is written as IPv4", network)
		}
	}
	return nil
}

func compareNetworks(a, b netip.Prefix) int {
	if order := a.Addr().BitLen() - b.Addr().BitLen(); order != 0 {
		return order
	}
	if order := a.Addr().Compare(b.Addr()); order != 0 {
		return order
	}
	return a.Bits() - b.Bits()
}

func (v flag) content() []byte { return []byte{v.at} }
func (v flag) written() any    { return v.names[v.at] }

func (v flag) shown() string {
	if v.names == approvals {
		return map[uint8]string{0: "of all calls", 1: "of writes"}[v.at]
	}
	return v.names[v.at]
}

func (v moment) content() []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
func (v moment) written() any    { return v.shown() }

func (v moment) shown() string {
	// Beyond the year 9999 there is no text that other programs read.
	const last = 253402300799999
	return time.UnixMilli(int64(min(uint64(v), last))).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (v number) content() []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
func (v number) shown() string   { return strconv.FormatUint(uint64(v), 10) }
func (v number) written() any    { return uint64(v) }

func (v number) check() error {
	if v == 0 {
		return errors.New("the uses of a capability are at least 1")
	}
	return nil
}

func (v text) content() []byte { return putText(nil, string(v)) }
func (v text) shown() string   { return string(v) }
func (v text) written() any    { return string(v) }

func (v text) check() error {
	if !isText(string(v)) {
		return fmt.Errorf("`%s` is no text of 1 to 512 bytes without control characters or outer white space", v)
	}
	return nil
}

func (v rate) content() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, v.calls), v.seconds)
}
func (v rate) shown() string { return fmt.Sprintf("%d per %ds", v.calls, v.seconds) }
func (v rate) written() any {
	return map[string]any{"calls": v.calls, "per": fmt.Sprintf("%ds", v.seconds)}
}

func (v rate) check() error {
	if v.calls == 0 || v.seconds == 0 {
		return errors.New("a rate has at least one call in at least one second")
	}
	return nil
}

func hoursOf(days []string, from, to, zone string) (hours, error) {
	v := hours{zone: zone}
	for _, name := range days {
		at := slices.Index(week, name)
		if at < 0 {
			return v, fmt.Errorf("`%s` is no day: `mon` to `sun`", name)
		}
		v.days |= 1 << at
	}
	var err, other error
	v.from, err = minutes(from)
	v.to, other = minutes(to)
	return v, errors.Join(err, other, v.check())
}

func minutes(text string) (uint16, error) {
	hour, minute, found := strings.Cut(text, ":")
	h, err := strconv.ParseUint(hour, 10, 8)
	m, other := strconv.ParseUint(minute, 10, 8)
	if !found || len(hour) != 2 || len(minute) != 2 || err != nil || other != nil || m > 59 || h*60+m > day {
		return 0, fmt.Errorf("`%s` is no time of day such as `09:00`", text)
	}
	return uint16(h*60 + m), nil
}

func (v hours) content() []byte {
	out := binary.BigEndian.AppendUint16([]byte{v.days}, v.from)
	return putText(binary.BigEndian.AppendUint16(out, v.to), v.zone)
}

func (v hours) names() []string {
	var names []string
	for at, name := range week {
		if v.days>>at&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

func clock(minute uint16) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func (v hours) shown() string {
	return fmt.Sprintf("%s %s-%s %s", strings.Join(v.names(), ","), clock(v.from), clock(v.to), v.zone)
}

func (v hours) written() any {
	return map[string]any{"days": v.names(), "from": clock(v.from), "to": clock(v.to), "zone": v.zone}
}

func (v hours) check() error {
	graphic := func(letter rune) bool { return letter < '!' || letter > '~' }
	named := v.zone != "" && len(v.zone) <= 64 && !strings.ContainsFunc(v.zone, graphic)
	if v.days == 0 || v.days > 127 || v.from >= day || v.to > day || v.to == 0 || v.from == v.to || !named {
		return errors.New("hours have days such as `mon`, different times such as `09:00` and `17:30`, and a zone")
	}
	return nil
}

func (v hours) hold(weekday int, minute uint16) bool {
	today, yesterday := v.days>>weekday&1 == 1, v.days>>((weekday+6)%7)&1 == 1
	if v.from < v.to {
		return today && v.from <= minute && minute < v.to
	}
	return (today && minute >= v.from) || (yesterday && minute < v.to)
}

func (v holder) content() []byte {
	out := []byte{0}
	if v.uid != nil {
		out[0] |= 1
		out = binary.BigEndian.AppendUint32(out, *v.uid)
	}
	if v.cgroup != nil {
		out[0] |= 2
		out = putText(out, *v.cgroup)
	}
	if v.key != nil {
		out[0] |= 4
		out = append(out, v.key...)
	}
	if v.run != nil {
		out[0] |= 8
		out = append(out, v.run[:]...)
	}
	return out
}

func (v holder) shown() string {
	var parts []string
	if v.uid != nil {
		parts = append(parts, fmt.Sprintf("uid %d", *v.uid))
	}
	if v.cgroup != nil {
		parts = append(parts, "cgroup "+*v.cgroup)
	}
	if v.key != nil {
		parts = append(parts, "key "+hex.EncodeToString(v.key))
	}
	if v.run != nil {
		parts = append(parts, "run "+ulid("run_", *v.run))
	}
	return strings.Join(parts, ", ")
}

func (v holder) written() any {
	out := map[string]any{}
	if v.uid != nil {
		out["uid"] = *v.uid
	}
	if v.cgroup != nil {
		out["cgroup"] = *v.cgroup
	}
	if v.key != nil {
		out["key"] = hex.EncodeToString(v.key)
	}
	if v.run != nil {
		out["run"] = ulid("run_", *v.run)
	}
	return out
}

func (v holder) check() error {
	none := v.uid == nil && v.cgroup == nil && v.key == nil && v.run == nil
	if none || (v.cgroup != nil && !isBelowRoot(*v.cgroup)) || (v.key != nil && len(v.key) != 32) {
		return errors.New("a holder has a uid, a key of 32 bytes, or a cgroup such as `/user.slice`")
	}
	return nil
}

func (v inputs) content() []byte {
	out := []byte{byte(len(v))}
	for _, one := range v {
		out = putList(putText(out, one.name), one.values)
	}
	return out
}

func (v inputs) shown() string {
	var parts []string
	for _, one := range v {
		parts = append(parts, one.name+"="+one.values.shown())
	}
	return strings.Join(parts, "; ")
}

func (v inputs) written() any {
	out := map[string][]string{}
	for _, one := range v {
		out[one.name] = one.values
	}
	return out
}

func (v inputs) check() error {
	if err := counted(len(v)); err != nil {
		return err
	}
	for at, one := range v {
		ascending := slices.IsSorted(one.values) && len(slices.Compact(slices.Clone(one.values))) == len(one.values)
		if at > 0 && v[at-1].name == one.name || counted(len(one.values)) != nil || !ascending {
			return malformed("a list is empty or out of order")
		}
		for _, text := range append([]string{one.name}, one.values...) {
			if !isText(text) {
				return fmt.Errorf("`%s` is no text of 1 to 512 bytes", text)
			}
		}
	}
	return nil
}
