"""A real emulation of AWS (moto) that checks signatures and policies, with one user who may read three secrets.

Says where it is as one line of JSON, and ends when its standard input does. Ends with 77 where moto isn't installed.
"""
import json, os, sys

# The first three actions make the user; from then on every request has to be signed, and allowed.
os.environ.update(INITIAL_NO_AUTH_ACTION_COUNT="3", AWS_DEFAULT_REGION="eu-central-1")
try:
    import boto3
    from moto.server import ThreadedMotoServer
except ImportError:
    sys.exit(77)
import logging

logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = "http://%s:%d" % (host, port)


def client(name, key="none", secret="none"):
    return boto3.client(name, endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret)


iam = client("iam")
iam.create_user(UserName="doorward")
actions = ["secretsmanager:*", "ssm:*", "kms:*"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
iam.put_user_policy(UserName="doorward", PolicyName="read", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="doorward")["AccessKey"]
both = (key["AccessKeyId"], key["SecretAccessKey"])
client("secretsmanager", *both).create_secret(Name="prod/slack", SecretString='{"token": "CANARY-moto-sm", "n": 1}')
client("secretsmanager", *both).create_secret(Name="prod/raw", SecretBinary=b"CANARY-\xff\xfe-raw")
client("ssm", *both).put_parameter(Name="/prod/slack", Type="SecureString", Value="CANARY-moto-ssm")
kms = client("kms", *both)
made = kms.create_key()["KeyMetadata"]["KeyId"]
sealed = kms.encrypt(KeyId=made, Plaintext=b"CANARY-moto-kms")["CiphertextBlob"]
import base64

print(json.dumps({"url": url, "id": both[0], "secret": both[1], "sealed": base64.b64encode(sealed).decode(), "key": made}), flush=True)
sys.stdin.read()
