#!/bin/sh
# Prints the id of the access key as a script gets it from EC2's metadata service, version 2.
set -eu
server=$AWS_EC2_METADATA_SERVICE_ENDPOINT
token=$(curl -sSf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "$server/latest/api/token")
with_token() { curl -sSf -H "X-aws-ec2-metadata-token: $token" "$server/latest/meta-data/iam/security-credentials/$1"; }
role=$(with_token "")
with_token "$role" | sed -n 's/.*"AccessKeyId" *: *"\([A-Z0-9]*\)".*/\1/p'
