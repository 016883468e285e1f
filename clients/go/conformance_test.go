package doorward_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/doorward/doorward/clients/go/internal/replay"
	"github.com/doorward/doorward/clients/go/token"
)

// script is one that is under way, with what was kept of its answers.
type script struct {
	client *replay.Client
	kept   map[string]any
}

func TestConformance(t *testing.T) {
	path := os.Getenv("VAULT_AGENT_SOCKET_PATH")
	if path == "" || os.Getenv("DOORWARD_CONTROL") == "" {
		t.Skip("clients/conformance/house.py starts the agent for it")
	}
	var replayed struct{ Scripts []string }
	replay.Read(t, "replayed.json", &replayed)
	for _, name := range replayed.Scripts {
		t.Run(name, func(t *testing.T) {
			var file struct{ Steps []replay.Object }
			replay.Read(t, name, &file)
			client, err := replay.Connect(path, 20)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			under := &script{client, map[string]any{}}
			for number, step := range file.Steps {
				if err := under.play(step); err != nil {
					t.Fatalf("step %d: %v", number+1, err)
				}
			}
		})
	}
}

func (s *script) play(step replay.Object) error {
	if word, ok := step["agent"].(string); ok {
		return control(word)
	}
	if text, ok := step["token"].(string); ok {
		return s.narrow(step, s.filled(text).(string))
	}
	name := step["call"].(string)
	args, _ := s.filled(step["args"]).(replay.Object)
	if times, ok := step["parallel"].(float64); ok {
		return s.parallel(name, args, int(times), step["counts"])
	}
	found, err := s.client.Outcome(name, args)
	if err != nil {
		return err
	}
	return s.expect(step, found, name)
}

func (s *script) expect(step replay.Object, found any, where string) error {
	expected := s.filled(step["expect"])
	if failure, ok := step["error"]; ok {
		expected = replay.Object{"error": failure}
	} else if failed, ok := found.(replay.Object)["error"]; ok {
		return fmt.Errorf("%s: %v", where, failed)
	}
	if err := replay.Agrees(expected, found, where); err != nil {
		return err
	}
	keep, _ := step["keep"].(replay.Object)
	for name, path := range keep {
		value := found
		for _, part := range strings.Split(path.(string), ".") {
			value = value.(replay.Object)[part]
		}
		s.kept[name] = value
	}
	return nil
}

func (s *script) narrow(step replay.Object, text string) error {
	parent, err := token.Parse(text)
	var less []token.Caveat
	for _, written := range step["narrow"].([]any) {
		data, _ := json.Marshal(written)
		caveat, wrong := token.OfJSON(data)
		if wrong != nil {
			return wrong
		}
		less = append(less, caveat)
	}
	var child *token.Token
	if err == nil {
		child, err = parent.Narrow(less...)
	}
	if failure, ok := step["error"].(replay.Object); ok {
		if err == nil || !strings.Contains(err.Error(), failure["contains"].(string)) {
			return fmt.Errorf("%v, not %v", err, failure)
		}
		return nil
	}
	if err == nil && len(child.Blocks()) != int(step["blocks"].(float64)) {
		err = fmt.Errorf("%s", child)
	}
	return err
}

func (s *script) parallel(name string, args replay.Object, times int, expected any) error {
	var wait sync.WaitGroup
	var mutex sync.Mutex
	counts := map[string]any{}
	for range make([]int, times) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			found, err := s.client.Outcome(name, args)
			status := "error"
			if object, ok := found.(replay.Object); ok && err == nil && object["status"] != nil {
				status = object["status"].(string)
			}
			mutex.Lock()
			defer mutex.Unlock()
			before, _ := counts[status].(float64)
			counts[status] = before + 1
		}()
	}
	wait.Wait()
	if !reflect.DeepEqual(any(counts), expected) {
		return fmt.Errorf("%s: %v, not %v", name, counts, expected)
	}
	return nil
}

func (s *script) filled(value any) any {
	switch value := value.(type) {
	case string:
		if name, ok := strings.CutPrefix(value, "$"); ok {
			return s.kept[name]
		}
	case replay.Object:
		out := replay.Object{}
		for key, member := range value {
			out[key] = s.filled(member)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for at, each := range value {
			out[at] = s.filled(each)
		}
		return out
	}
	return value
}

// control stops or starts the agent.
func control(word string) error {
	line, err := net.Dial("unix", os.Getenv("DOORWARD_CONTROL"))
	if err != nil {
		return err
	}
	defer line.Close()
	if _, err := fmt.Fprintln(line, word); err != nil {
		return err
	}
	answer, err := bufio.NewReader(line).ReadString('\n')
	if err == nil && answer != "done\n" {
		err = fmt.Errorf("%q", answer)
	}
	return err
}
