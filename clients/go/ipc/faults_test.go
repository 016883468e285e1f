package ipc_test

import (
	"testing"

	"github.com/doorward/doorward/clients/go/internal/replay"
)

func TestFaults(t *testing.T) {
	var script struct{ Scenarios []replay.Object }
	replay.Read(t, "faults.json", &script)
	for _, scenario := range script.Scenarios {
		t.Run(scenario["name"].(string), func(t *testing.T) { play(t, scenario) })
	}
}

func play(t *testing.T, scenario replay.Object) {
	scripted := replay.Play(t, scenario)
	seconds, _ := scenario["timeout"].(float64)
	client, err := replay.Connect(scripted.Path, seconds)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range scenario["calls"].([]any) {
		step := each.(replay.Object)
		args, _ := step["args"].(replay.Object)
		found, err := client.Outcome(step["call"].(string), args)
		if err != nil {
			t.Fatal(err)
		}
		expected := step["expect"]
		if failure, ok := step["error"]; ok {
			expected = replay.Object{"error": failure}
		} else if failed, ok := found.(replay.Object)["error"]; ok {
			t.Fatal(failed)
		}
		if err := replay.Agrees(expected, found, step["call"].(string)); err != nil {
			t.Fatal(err)
		}
		if word, ok := step["then"].(string); ok {
			scripted.Wait(t, word)
		}
	}
	client.Close()
	got := scripted.End(t)
	if len(got.Wrong) > 0 || got.Messages != int(scenario["received"].(float64)) {
		t.Errorf("%+v, but %v messages were expected", got, scenario["received"])
	}
}
