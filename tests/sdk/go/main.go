// Prints the id of the access key that the SDK finds by itself.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	id, err := found(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(id)
}

func found(ctx context.Context) (string, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return "", err
	}
	credentials, err := loaded.Credentials.Retrieve(ctx)
	return credentials.AccessKeyID, err
}
