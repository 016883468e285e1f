package token

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Facts are what is known about a call. A fact that a caveat is about and that is left out breaks the caveat.
type Facts struct {
	Now         time.Time
	Integration string
	Operation   string
	// Access is read or write.
	Access      string
	Resource    string
	Host        string
	Method      string
	Path        string
	Address     string
	Environment string
	Purpose     string
	Holder      HolderFacts
	Inputs      map[string]string
	// Secrets are those that the integration puts on the request, as the agent names them: secret:/slack/token.
	Secrets []string
}

// holds says whether a call keeps the caveat. Rates, uses and approvals are counted by the broker.
func (c Caveat) holds(facts Facts) bool {
	switch v := c.value.(type) {
	case texts:
		return c.holdsList(v, facts)
	case cidrs:
		address, err := netip.ParseAddr(facts.Address)
		return err == nil && slices.ContainsFunc(v, func(n netip.Prefix) bool { return n.Contains(address.Unmap()) })
	case flag:
		return c.kind == "approval" || facts.Access == "read" || (facts.Access == "write" && v.at == 1)
	case moment:
		if facts.Now.IsZero() {
			return false
		}
		now := uint64(facts.Now.UnixMilli())
		return (c.kind == "not_before" && now >= uint64(v)) || (c.kind == "not_after" && now < uint64(v))
	case hours:
		zone, err := time.LoadLocation(v.zone)
		if err != nil || facts.Now.IsZero() {
			return false
		}
		local := facts.Now.In(zone)
		return v.hold((int(local.Weekday())+6)%7, uint16(local.Hour()*60+local.Minute()))
	case text:
		return facts.Purpose == string(v)
	case holder:
		return (v.uid == nil || facts.Holder.UID != nil && *facts.Holder.UID == *v.uid) &&
			(v.key == nil || bytes.Equal(facts.Holder.Key, v.key)) &&
			(v.run == nil || facts.Holder.Run != nil && *facts.Holder.Run == ulid("run_", *v.run)) &&
			(v.cgroup == nil || facts.Holder.Cgroup != nil && isAtOrBelow(*facts.Holder.Cgroup, *v.cgroup))
	case reach:
		return v.allows(facts)
	case window:
		return v.contains(facts.Now)
	case blackout:
		return !facts.Now.IsZero() && !v.contains(facts.Now)
	case inputs:
		return !slices.ContainsFunc(v, func(one input) bool {
			given, found := facts.Inputs[one.name]
			return !found || !slices.Contains(one.values, given)
		})
	case number, rate:
		return true
	}
	return false
}

func (c Caveat) holdsList(v texts, facts Facts) bool {
	some := func(fact string, matches func(string) bool) bool {
		return fact != "" && slices.ContainsFunc(v, matches)
	}
	switch c.kind {
	case "integrations":
		return some(facts.Integration, func(name string) bool { return name == facts.Integration })
	case "operations":
		return some(facts.Operation, func(pattern string) bool {
			return coversPattern(pattern, facts.Integration+"/"+facts.Operation)
		})
	case "resources":
		return some(facts.Resource, func(pattern string) bool { return coversResource(pattern, facts.Resource) })
	case "hosts":
		return some(facts.Host, func(name string) bool { return name == facts.Host })
	case "methods":
		return some(facts.Method, func(name string) bool { return name == facts.Method })
	case "path_prefix":
		return some(facts.Path, func(prefix string) bool { return coversPath(prefix, facts.Path) })
	case "environment":
		return some(facts.Environment, func(name string) bool { return name == facts.Environment })
	}
	return false
}

func (c Caveat) says(facts Facts) string {
	switch c.kind {
	case "integrations":
		return fmt.Sprintf("does not allow the integration `%s`", facts.Integration)
	case "operations":
		return fmt.Sprintf("does not allow `%s/%s`", facts.Integration, facts.Operation)
	case "access":
		return "allows no " + facts.Access
	case "resources":
		return fmt.Sprintf("does not allow the resource `%s`", facts.Resource)
	case "hosts":
		return "does not allow this host"
	case "methods":
		return "does not allow this method"
	case "path_prefix":
		return "does not allow this path"
	case "not_before":
		return "is not valid before " + c.value.shown()
	case "not_after":
		return "expired at " + c.value.shown()
	case "hours":
		return "is not valid at this hour"
	case "cidr":
		return "is bound to a network"
	case "environment":
		return "is not valid in this environment"
	case "purpose":
		return "is bound to another purpose"
	case "holder":
		return "belongs to another holder"
	case "reach":
		return fmt.Sprintf("does not reach `%s/%s` on `%s`", facts.Integration, facts.Operation, facts.Resource)
	case "window":
		return "is not valid at this hour"
	case "blackout":
		return "is not valid in this period"
	}
	return "does not allow these inputs"
}

func coversPattern(old, new string) bool {
	oldName, shape, _ := strings.Cut(old, "/")
	newName, other, _ := strings.Cut(new, "/")
	if oldName != newName {
		return false
	}
	if shape == "*" || shape == other {
		return true
	}
	start, under := strings.CutSuffix(shape, "*")
	return under && other != "*" && strings.HasPrefix(strings.TrimSuffix(other, ".*"), start)
}

func coversResource(old, new string) bool {
	beginning, found := strings.CutSuffix(old, "*")
	return old == new || found && strings.HasPrefix(new, beginning)
}

func coversPath(prefix, path string) bool {
	return prefix == "/" || path == prefix || strings.HasPrefix(path, prefix+"/")
}
