#!/bin/sh
# Prints the id of the access key as a script gets it from the credentials endpoint of a container.
set -eu
curl -sSf -H "Authorization: $AWS_CONTAINER_AUTHORIZATION_TOKEN" "$AWS_CONTAINER_CREDENTIALS_FULL_URI" |
    sed -n 's/.*"AccessKeyId" *: *"\([A-Z0-9]*\)".*/\1/p'
