"""What the tests of `kmx serve` share: a running server, clients of it, and how an answer or a
refusal is checked.
"""

import contextlib
import datetime
import json
import re
import signal
import subprocess
import unittest.mock

import boto3
import botocore.config
import botocore.exceptions

import peer
from peer import OPTIONS, REGION

ACCOUNT = "111122223333"
ABSENT = "12345678-90ab-cdef-1234-567890abcdef"
ANY = unittest.mock.ANY

# A client of the server that the tests of a file share.
KMS = None


class Served:
    """A run of `kmx serve` on a free port, for as long as it is held."""

    def __init__(self, *options):
        self.options = options or ("--ephemeral",)

    def __enter__(self):
        self.process = subprocess.Popen(
            [OPTIONS.kmx, "serve", "--listen", "127.0.0.1:0", *self.options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.process.stdout.readline()
        said = re.fullmatch(
            r"listening on (http://127\.0\.0\.1:\d+): export AWS_ENDPOINT_URL_KMS=\1\n", line
        )
        if said is None:
            self.__exit__()
            raise AssertionError(f"kmx serve said {line!r}")
        self.endpoint = said[1]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.code = self.process.wait(peer.DEADLINE)
        self.process.stdout.close()

    def client(self, region=REGION, validates=True):
        """A client that tries once."""
        return boto3.client(
            "kms",
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="AKIDBOTO",
            aws_secret_access_key="secret",
            config=botocore.config.Config(
                parameter_validation=validates, retries={"total_max_attempts": 1}
            ),
        )


@contextlib.contextmanager
def shared():
    """The server that the tests of a file share."""
    global KMS
    # So that no server outlives its tests: unittest lets this exception through, and no other.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Served() as served:
        KMS = served.client()
        yield served


def key_arn(key_id, region=REGION):
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"


def alias_arn(name):
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}"


def create(client=None, **parameters):
    """The id of a new key."""
    return (client or KMS).create_key(**parameters)["KeyMetadata"]["KeyId"]


def create_rsa(usage="ENCRYPT_DECRYPT", **parameters):
    return create(KeySpec="RSA_2048", KeyUsage=usage, **parameters)


def document(action="kms:*", **members):
    """A key policy that lets the account do so much."""
    statement = {
        "Sid": "everything",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": action,
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement | members]})


def members(answer):
    """An answer without what botocore adds."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


class ServeTest(peer.PeerTest):
    def assert_error(self, code, message, call, **parameters):
        """The call is refused with just that; a message that is a pattern has to match."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        answer = caught.exception.response
        error, metadata = answer["Error"], answer["ResponseMetadata"]
        self.assertEqual((error["Code"], error.get("Message")), (code, message))
        self.assertEqual(metadata["HTTPStatusCode"], 400)
        self.assertRegex(metadata["RequestId"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

    def assert_invalid(self, message, call, **parameters):
        self.assert_error("ValidationException", message, call, **parameters)

    def assert_dry_run(self, call, **parameters):
        self.assert_error(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
            call,
            DryRun=True,
            **parameters,
        )

    def state(self, key_id):
        return KMS.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]

    def assert_recent(self, instant):
        age = datetime.datetime.now(datetime.timezone.utc) - instant
        self.assertLess(abs(age), datetime.timedelta(minutes=10))
