// Package seed compiles and runs the Go samples of the integration document, with nothing changed but import paths.
//
// Where a sample is a part of something, or has a variable that it doesn't use, the table below says what is put around
// it. The one import that no sample uses, `context`, is taken out, because Go doesn't compile with it.
package seed

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	ipcPath   = "github.com/doorward/doorward/clients/go/ipc"
	typesPath = "github.com/doorward/doorward/clients/go/types"
)

// samples are the blocks of the document, in order.
func samples(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("fixtures/samples.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(data), -1) {
		block := match[1]
		block = strings.ReplaceAll(block, "github.com/skygenesisenterprise/aether-vault/package/cli/internal/ipc", ipcPath)
		block = strings.ReplaceAll(block, "github.com/skygenesisenterprise/aether-vault/package/cli/pkg/types", typesPath)
		blocks = append(blocks, strings.Replace(block, "    \"context\"\n", "", 1))
	}
	if len(blocks) != 10 {
		t.Fatalf("the document has %d samples, not 10", len(blocks))
	}
	return blocks
}

func imports(paths ...string) string {
	var text strings.Builder
	text.WriteString("package main\n\nimport (\n")
	for _, path := range paths {
		text.WriteString("\t\"" + path + "\"\n")
	}
	text.WriteString(")\n\n")
	return text.String()
}

// after puts a line behind one of a sample; it is there for a variable that the sample doesn't use.
func after(t *testing.T, block, line, more string) string {
	t.Helper()
	if strings.Count(block, line) != 1 {
		t.Fatalf("the sample has no line %q", line)
	}
	return strings.Replace(block, line, line+"\n"+more, 1)
}

// program writes a module into a folder of its own.
func program(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	here, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files["go.mod"] = "module sample\n\ngo 1.21\n\nrequire github.com/doorward/doorward/clients/go v0.0.0\n\n" +
		"replace github.com/doorward/doorward/clients/go => " + here + "\n"
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func goes(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	command := exec.Command("go", arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off", "APP_ID=")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

// run runs a program against the agent that VAULT_AGENT_SOCKET_PATH names; without one it is compiled only.
func run(t *testing.T, folder string) string {
	t.Helper()
	goes(t, folder, "vet", "./...")
	binary := filepath.Join(folder, "sample.bin")
	goes(t, folder, "build", "-o", binary, ".")
	if os.Getenv("VAULT_AGENT_SOCKET_PATH") == "" {
		t.Log("compiled, and not run: VAULT_AGENT_SOCKET_PATH names no agent")
		return ""
	}
	out, err := exec.Command(binary).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func has(t *testing.T, out string, words ...string) {
	t.Helper()
	for _, word := range words {
		if os.Getenv("VAULT_AGENT_SOCKET_PATH") != "" && !strings.Contains(out, word) {
			t.Errorf("%q is missing in %q", word, out)
		}
	}
}

const connect = `
func connect() *ipc.Client {
	client, err := ipc.NewClient(nil)
	if err != nil {
		panic(err)
	}
	return client
}
`

func TestRequestResponsePattern(t *testing.T) {
	block := after(t, samples(t)[0], "secret := getSecret(capability.Capability.ID)", "_ = secret")
	out := run(t, program(t, map[string]string{"main.go": imports("fmt", ipcPath, typesPath) + connect + `
func getSecret(id string) string {
	fmt.Println("secret of", id)
	return id
}

func main() {
	client := connect()
` + block + `
	_ = err
}
`}))
	has(t, out, "secret of cap_")
}

func TestCapabilityCachingPattern(t *testing.T) {
	out := run(t, program(t, map[string]string{
		"main.go": imports("fmt", "time", "github.com/doorward/doorward/clients/go", ipcPath, typesPath) + connect + `
var (
	client  = connect()
	cache   = doorward.NewCache[*types.CapabilityResponse](10)
	request = &types.CapabilityRequest{Resource: "secret:/db/primary", Actions: []string{"read"}}
)

func isExpired(response *types.CapabilityResponse) bool { return response.Capability.IsExpired() }

func useCapability(response *types.CapabilityResponse) error {
	fmt.Println("used", response.Capability.ID)
	return nil
}

func sample() error {
` + samples(t)[1] + `}

func main() {
	for range make([]int, 2) {
		if err := sample(); err != nil {
			panic(err)
		}
	}
	fmt.Println("requests:", client.Metrics().Now().CapabilityRequests)
}
`}))
	has(t, out, "used cap_", "requests: 1")
}

func TestPreAuthorizationPattern(t *testing.T) {
	out := run(t, program(t, map[string]string{
		"main.go": imports("fmt", ipcPath, typesPath) + connect + samples(t)[2] + `
var (
	client = connect()
	app    struct{ capabilities map[string]*types.Capability }
)

func requestCapability(resource, action string) *types.Capability {
	response, err := client.RequestCapability(&types.CapabilityRequest{Resource: resource, Actions: []string{action}})
	if err != nil || response.Status != "granted" {
		panic(fmt.Sprint(response, err))
	}
	return response.Capability
}

func main() {
	if err := initializeApp(); err != nil {
		panic(err)
	}
	fmt.Println("capabilities:", len(app.capabilities))
}
`}))
	has(t, out, "capabilities: 3")
}

func TestJustInTimePattern(t *testing.T) {
	out := run(t, program(t, map[string]string{
		"main.go": imports("database/sql", "fmt", ipcPath, typesPath) + connect + samples(t)[3] + `
var client = connect()

func connectToDatabase(id string) (*sql.DB, error) {
	fmt.Println("connecting with", id)
	return nil, nil
}

func main() {
	if _, err := getDatabaseConnection(); err != nil {
		panic(err)
	}
}
`}))
	has(t, out, "connecting with cap_")
}

func TestApplication(t *testing.T) {
	out := run(t, program(t, map[string]string{"main.go": samples(t)[4]}))
	has(t, out, "Using capability cap_", "Connecting to database with capability cap_")
}

func TestBestPractices(t *testing.T) {
	blocks := samples(t)
	application := strings.Replace(blocks[4], "func main() {", "func application() {", 1)
	// The practices use two members that the application's client doesn't have.
	application = after(t, application, "cache  map[string]*types.Capability", "    metrics Metrics")
	out := run(t, program(t, map[string]string{
		"application.go": application,
		"retries.go":     imports("strings", "time", typesPath) + blocks[5],
		"lifecycle.go":   imports("fmt", "sync", "time", typesPath) + blocks[6],
		"metrics.go":     imports("sync/atomic", typesPath) + blocks[7],
		"security.go":    imports("fmt") + blocks[8],
		"main.go": imports("fmt", typesPath) + `
func (v *VaultClient) shouldRevokeAfterUse(id string) bool { return true }

func main() {
	application()
	vault, err := NewVaultClient()
	if err != nil {
		panic(err)
	}
	first, err := vault.GetCapabilityWithRetry("secret:/db/primary", "read", 300, 3)
	if err != nil {
		panic(err)
	}
	manager := &CapabilityManager{client: vault, caps: map[string]*types.Capability{}}
	second, err := manager.RequestCapability("secret:/db/primary", "read", 300)
	if err != nil || second.ID != first.ID {
		panic(fmt.Sprint(second, err))
	}
	if _, err := vault.GetCapabilityWithMetrics("secret:/db/primary", "read", 300); err != nil {
		panic(err)
	}
	fmt.Println("grants:", vault.metrics.CapabilityGrants)
	if err := vault.SecureUseCapability(first.ID, func() error { return nil }); err != nil {
		panic(err)
	}
	fmt.Println("again:", vault.SecureUseCapability(first.ID, func() error { return nil }))
}
`}))
	has(t, out, "grants: 1", "again: capability is not valid")
}

func TestMockClient(t *testing.T) {
	folder := program(t, map[string]string{
		"sample_test.go": strings.Replace(imports("fmt", "testing", "time", "sample/assert", typesPath), "package main", "package sample", 1) + samples(t)[9],
		"application.go": `package sample

import "` + typesPath + `"

type vault interface {
	GetCapability(resource, action string, ttl int64) (*types.Capability, error)
}

type Application struct{ vault vault }

func (a *Application) AccessDatabase() error {
	_, err := a.vault.GetCapability("secret:/db/primary", "read", 300)
	return err
}
`,
		// The sample's library of assertions, as far as the sample needs it.
		"assert/assert.go": `package assert

import "testing"

func NoError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
`,
	})
	if out := goes(t, folder, "test", "-v", "./..."); !strings.Contains(out, "PASS: TestDatabaseAccess") {
		t.Error(out)
	}
}
