// The API server of Argo CD as it is.
package main

import (
	"os"

	"github.com/argoproj/argo-cd/v3/cmd/argocd-server/commands"
)

func main() {
	if err := commands.NewCommand().Execute(); err != nil {
		os.Exit(1)
	}
}
