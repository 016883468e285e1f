package token

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

type rule struct {
	valid func(string) bool
	what  string
	order func(a, b string) int
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// rules of the lists of texts. Each entry has one spelling, and each list one order.
var rules = map[string]rule{
	"integrations": {integration.MatchString, "an integration", strings.Compare},
	"operations":   {isPattern, "an operation pattern: `slack/chat.post`, `slack/chat.*` or `slack/*`", comparePatterns},
	"resources":    {isResource, "a resource, or its beginning and one `*`", strings.Compare},
	"hosts":        {isHost, "a host name or address without a port", strings.Compare},
	"methods": {func(name string) bool { return slices.Contains(methods, name) }, "a method that can be forwarded",
		func(a, b string) int { return slices.Index(methods, a) - slices.Index(methods, b) }},
	"path_prefix": {isPath, "a canonical path such as `/api/v4`", strings.Compare},
	"environment": {isText, "a text of 1 to 512 bytes", strings.Compare},
}

var (
	integration = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\z`)
	label       = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}\z`)
	word        = regexp.MustCompile(`^[a-z0-9._-]*\z`)
	host        = regexp.MustCompile(`^[a-z0-9._:-]{1,253}\z`)
	path        = regexp.MustCompile(`^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]|%[0-9A-F]{2})+\z`)
)

func isLabel(text string) bool { return label.MatchString(text) }

func isText(text string) bool {
	return text != "" && len(text) <= 512 && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) &&
		strings.TrimSpace(text) == text
}

func isPattern(text string) bool {
	name, shape, found := strings.Cut(text, "/")
	if !found || !integration.MatchString(name) {
		return false
	}
	if shape == "*" {
		return true
	}
	shape = strings.TrimSuffix(shape, ".*")
	for _, part := range strings.Split(shape, ".") {
		if !isLabel(part) {
			return false
		}
	}
	return len(shape) <= 63
}

// comparePatterns sorts by integration, then *, then patterns with .* by their prefix, then names.
func comparePatterns(a, b string) int {
	aName, aShape, _ := strings.Cut(a, "/")
	bName, bShape, _ := strings.Cut(b, "/")
	if order := strings.Compare(aName, bName); order != 0 {
		return order
	}
	if order := rank(aShape) - rank(bShape); order != 0 {
		return order
	}
	return strings.Compare(strings.TrimSuffix(aShape, ".*"), strings.TrimSuffix(bShape, ".*"))
}

func rank(shape string) int {
	switch {
	case shape == "*":
		return 0
	case strings.HasSuffix(shape, ".*"):
		return 1
	}
	return 2
}

func isResource(text string) bool {
	hidden := func(letter rune) bool { return unicode.IsControl(letter) || unicode.IsSpace(letter) }
	if text == "" || len(text) > 512 || !utf8.ValidString(text) || strings.ContainsFunc(text, hidden) {
		return false
	}
	stars := strings.Count(text, "*")
	return stars == 0 || (stars == 1 && strings.HasSuffix(text, "*"))
}

func isHost(text string) bool {
	if strings.Contains(text, ":") {
		if address, err := netip.ParseAddr(text); err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
	}
	return host.MatchString(text) && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".") &&
		!strings.Contains(text, "..")
}

func isPath(text string) bool {
	if text != "/" && (!strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/")) {
		return false
	}
	for _, part := range strings.Split(text, "/") {
		name, _, _ := strings.Cut(part, ";")
		if name == "." || name == ".." {
			return false
		}
	}
	return path.MatchString(text)
}

// isNamed says whether this is the agent's name of a resource, or the beginning of names and a *.
func isNamed(text string) bool {
	word, path, found := strings.Cut(text, ":")
	if !found || !slices.Contains([]string{"secret", "op", "log", "tool"}, word) || len(text) > 512 {
		return false
	}
	whole := path
	if beginning, many := strings.CutSuffix(path, "*"); many {
		whole = beginning + "x"
	}
	plain := isPath(whole) && len(whole) > 1 && !strings.Contains(whole, "//") && !strings.ContainsAny(whole, "*;:")
	return plain && (word != "op" || namesOperations(path))
}

func namesOperations(path string) bool {
	name, operation, found := strings.Cut(path[1:], "/")
	if !found {
		beginning, many := strings.CutSuffix(path[1:], "*")
		return many && word.MatchString(beginning)
	}
	if beginning, many := strings.CutSuffix(operation, "*"); many {
		return integration.MatchString(name) && word.MatchString(beginning)
	}
	return isPattern(name + "/" + operation)
}

func isBelowRoot(text string) bool {
	if len(text) > 1024 || !strings.HasPrefix(text, "/") || !utf8.ValidString(text) ||
		strings.ContainsFunc(text, unicode.IsControl) {
		return false
	}
	for _, part := range strings.Split(text[1:], "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

func isAtOrBelow(text, wanted string) bool {
	return isBelowRoot(text) && (text == wanted || strings.HasPrefix(text, wanted+"/"))
}
