// Package replay plays the scripts of clients/conformance: the other end, the placeholders, the words for failures.
package replay

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/doorward/doorward/clients/go/ipc"
)

// Object is a JSON object.
type Object = map[string]any

// Folder is clients/conformance.
func Folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "conformance")
}

// Read reads one of the scripts.
func Read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(Folder(), name))
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Scripted is scripted.py, playing one scenario.
type Scripted struct {
	// Path is where it listens.
	Path    string
	process *exec.Cmd
	input   io.WriteCloser
	lines   *bufio.Scanner
}

// Got is what arrived at it.
type Got struct {
	Connections int
	Messages    int
	Wrong       []string
}

// Play starts it.
func Play(t *testing.T, scenario any) *Scripted {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "dw-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "s")
	process := exec.Command("python3", filepath.Join(Folder(), "scripted.py"), path)
	process.Stderr = os.Stderr
	input, _ := process.StdinPipe()
	output, _ := process.StdoutPipe()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	scripted := &Scripted{path, process, input, bufio.NewScanner(output)}
	t.Cleanup(func() { input.Close(); _ = process.Wait() })
	line, err := json.Marshal(scenario)
	if err == nil {
		_, err = input.Write(append(line, '\n'))
	}
	if err != nil {
		t.Fatal(err)
	}
	scripted.Wait(t, "ready")
	return scripted
}

// Wait waits until it says so.
func (s *Scripted) Wait(t *testing.T, word string) {
	t.Helper()
	if !s.lines.Scan() || s.lines.Text() != word {
		t.Fatalf("%q instead of %q", s.lines.Text(), word)
	}
}

// End ends it, and says what it got.
func (s *Scripted) End(t *testing.T) Got {
	t.Helper()
	s.input.Close()
	var got Got
	if !s.lines.Scan() {
		t.Fatal("the other end said nothing")
	}
	if err := json.Unmarshal(s.lines.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// Failed is a failure in the words of the scripts.
func Failed(err error) Object {
	told := Object{"kind": "other", "contains": err.Error()}
	var failure *ipc.Error
	if errors.As(err, &failure) {
		told = Object{
			"kind": failure.Kind.Error(), "contains": failure.Message,
			"code": failure.Code, "hint": failure.Hint, "evidence": failure.Evidence,
		}
	}
	return Object{"error": told}
}

// Plain is any value as plain JSON.
func Plain(value any) (any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var plain any
	return plain, json.Unmarshal(data, &plain)
}

var patterns = map[string]string{
	"any": `[\s\S]*`, "cap": `cap_\S+`, "time": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "text": `[\s\S]+`,
	"token": `cap1_[A-Za-z0-9_-]+`,
}

// Agrees says where an answer is not as expected: every key that is expected is there, and placeholders fit.
func Agrees(expected, found any, where string) error {
	switch expected := expected.(type) {
	case Object:
		object, ok := found.(Object)
		if !ok {
			return fmt.Errorf("%s: %v is no object", where, found)
		}
		for key, value := range expected {
			if key == "contains" {
				text, _ := object[key].(string)
				if !strings.Contains(text, value.(string)) {
					return fmt.Errorf("%s: %q has no %q", where, text, value)
				}
				continue
			}
			if _, ok := object[key]; !ok {
				return fmt.Errorf("%s: `%s` is missing in %v", where, key, object)
			}
			if err := Agrees(value, object[key], where+"."+key); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := found.([]any)
		if !ok || len(list) != len(expected) {
			return fmt.Errorf("%s: %v, not %v", where, found, expected)
		}
		for at, value := range expected {
			if err := Agrees(value, list[at], fmt.Sprintf("%s[%d]", where, at)); err != nil {
				return err
			}
		}
		return nil
	case string:
		if strings.HasPrefix(expected, "<") && strings.HasSuffix(expected, ">") {
			name, text, _ := strings.Cut(expected[1:len(expected)-1], ":")
			pattern := patterns[name]
			if name == "has" {
				pattern = `[\s\S]*` + regexp.QuoteMeta(text) + `[\s\S]*`
			}
			shown, ok := found.(string)
			if !ok {
				data, _ := json.Marshal(found)
				shown = string(data)
			}
			if pattern == "" || !regexp.MustCompile("^(?:"+pattern+")$").MatchString(shown) {
				return fmt.Errorf("%s: %v is no %s", where, found, expected)
			}
			return nil
		}
	}
	if !reflect.DeepEqual(expected, found) {
		return fmt.Errorf("%s: %v, not %v", where, found, expected)
	}
	return nil
}
