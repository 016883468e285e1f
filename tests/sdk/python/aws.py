"""Prints the id of the access key that boto3 finds by itself."""

import boto3

print(boto3.Session().get_credentials().get_frozen_credentials().access_key)
