package token

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
)

// wider finds what of a caveat its parent plainly doesn't allow. The chain holds without it, since every caveat of every
// narrowing is checked; it finds the mistake of somebody who believes to give more.
func (c Caveat) wider(parent Caveat) (string, bool) {
	if new, ok := c.value.(texts); ok {
		if old, ok := parent.value.(texts); ok {
			return widerList(c.kind, new, parent.kind, old)
		}
		return "", false
	}
	if c.kind != parent.kind {
		return "", false
	}
	switch new := c.value.(type) {
	case cidrs:
		old := parent.value.(cidrs)
		for _, network := range new {
			covers := func(outer netip.Prefix) bool {
				return outer.Bits() <= network.Bits() && outer.Contains(network.Addr())
			}
			if !slices.ContainsFunc(old, covers) {
				return network.String(), true
			}
		}
		return "", false
	case inputs:
		old := parent.value.(inputs)
		for _, one := range new {
			at := slices.IndexFunc(old, func(other input) bool { return other.name == one.name })
			for _, value := range one.values {
				if at >= 0 && !slices.Contains(old[at].values, value) {
					return one.name + "=" + value, true
				}
			}
		}
		return "", false
	}
	return c.String(), c.exceeds(parent)
}

func widerList(kind string, new texts, parent string, old texts) (string, bool) {
	var covers func(old, new string) bool
	switch {
	case kind == "integrations" && parent == "operations":
		covers = func(old, new string) bool { name, _, _ := strings.Cut(old, "/"); return name == new }
	case kind == "operations" && parent == "integrations":
		covers = func(old, new string) bool { name, _, _ := strings.Cut(new, "/"); return name == old }
	case kind != parent:
		return "", false
	case kind == "operations":
		covers = coversPattern
	case kind == "resources":
		covers = coversResource
	case kind == "path_prefix":
		covers = coversPath
	default:
		covers = func(old, new string) bool { return old == new }
	}
	for _, entry := range new {
		if !slices.ContainsFunc(old, func(allowed string) bool { return covers(allowed, entry) }) {
			return entry, true
		}
	}
	return "", false
}

func (c Caveat) exceeds(parent Caveat) bool {
	switch new := c.value.(type) {
	case flag:
		old := parent.value.(flag)
		return new.at > old.at
	case moment:
		old := parent.value.(moment)
		return c.kind == "not_before" && new < old || c.kind == "not_after" && new > old
	case number:
		return new > parent.value.(number)
	case text:
		return new != parent.value.(text)
	case rate:
		old := parent.value.(rate)
		return new.calls > old.calls ||
			uint64(new.calls)*uint64(old.seconds) > uint64(old.calls)*uint64(new.seconds)
	case hours:
		old := parent.value.(hours)
		if new.zone != old.zone {
			return false
		}
		for weekday := 0; weekday < 7; weekday++ {
			for minute := uint16(0); minute < day; minute++ {
				if new.hold(weekday, minute) && !old.hold(weekday, minute) {
					return true
				}
			}
		}
		return false
	case window:
		old := parent.value.(window)
		return slices.Equal(new.zones, old.zones) && (new.hours&^old.hours != 0 || new.days&^old.days != 0)
	case reach:
		return new.exceeds(parent.value.(reach))
	case holder:
		// What is not named here is asked for by the parent all the same.
		old := parent.value.(holder)
		return old.uid != nil && new.uid != nil && *new.uid != *old.uid ||
			old.key != nil && new.key != nil && !bytes.Equal(new.key, old.key) ||
			old.run != nil && new.run != nil && *new.run != *old.run ||
			old.cgroup != nil && new.cgroup != nil && !isAtOrBelow(*new.cgroup, *old.cgroup)
	}
	return false
}
