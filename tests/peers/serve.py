"""`kmx serve` as a KMS, before clients that this project did not write: boto3, the AWS CLI, and the
AWS Encryption SDK with its keyrings; and `kmx` itself as a client beside them.

The measure is the service: codes, messages and members of answers are those of the service, as
they are documented or were recorded. What the service does in a case is not known for all; where
it is not, the tests ask for the code alone (`ANY`), or for nothing.

Started by run.sh.
"""

import base64
import datetime
import json
import re
import signal
import subprocess
import sys
import unittest.mock
import urllib.error
import urllib.request

import aws_encryption_sdk
import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import peer
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsDiscoveryKeyringInput,
    CreateAwsKmsKeyringInput,
    CreateAwsKmsRsaKeyringInput,
    CreateMultiKeyringInput,
)
from aws_encryption_sdk.identifiers import AlgorithmSuite
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from peer import OPTIONS, REGION

ACCOUNT = "111122223333"
ABSENT = "12345678-90ab-cdef-1234-567890abcdef"
ANY = unittest.mock.ANY
DAY = datetime.timedelta(days=1)

# A server that the tests share, a client of it, and one that lets every parameter pass.
SERVED = None
KMS = None
RAW = None


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


def members(answer):
    """An answer without what botocore adds."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


class Lives(ServeTest):
    def test_a_key_from_its_creation_to_its_deletion(self):
        tags = [{"TagKey": "Team", "TagValue": "a"}, {"TagKey": "empty", "TagValue": ""}]
        created = KMS.create_key(Description="é\n", Tags=tags, Policy=document())["KeyMetadata"]
        key_id = created["KeyId"]
        plain = {
            "AWSAccountId": ACCOUNT,
            "KeyId": key_id,
            "Arn": key_arn(key_id),
            "CreationDate": created["CreationDate"],
            "Enabled": True,
            "Description": "é\n",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
            "CurrentKeyMaterialId": created["CurrentKeyMaterialId"],
        }
        self.assertEqual(created, plain)
        self.assert_recent(created["CreationDate"])
        self.assertRegex(created["CurrentKeyMaterialId"], "^[0-9a-f]{64}$")
        self.assertEqual(KMS.describe_key(KeyId=key_id)["KeyMetadata"], plain)
        self.assertEqual(KMS.list_resource_tags(KeyId=key_id)["Tags"], tags)

        self.assertEqual(members(KMS.disable_key(KeyId=key_id)), {})
        described = KMS.describe_key(KeyId=key_arn(key_id))["KeyMetadata"]
        self.assertEqual(described, plain | {"KeyState": "Disabled", "Enabled": False})
        self.assertEqual(members(KMS.enable_key(KeyId=key_id)), {})
        KMS.update_key_description(KeyId=key_id, Description="")
        described = KMS.describe_key(KeyId=key_id)["KeyMetadata"]
        self.assertEqual(described, plain | {"Description": ""})

        scheduled = members(KMS.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7))
        date = scheduled["DeletionDate"]
        self.assert_recent(date - 7 * DAY)
        self.assertEqual(
            scheduled,
            {
                "KeyId": key_arn(key_id),
                "DeletionDate": date,
                "KeyState": "PendingDeletion",
                "PendingWindowInDays": 7,
            },
        )
        described = KMS.describe_key(KeyId=key_id)["KeyMetadata"]
        pending = {"KeyState": "PendingDeletion", "Enabled": False, "DeletionDate": date}
        self.assertEqual(described, plain | {"Description": ""} | pending)
        cancelled = KMS.cancel_key_deletion(KeyId=key_id)
        self.assertEqual(members(cancelled), {"KeyId": key_arn(key_id)})
        described = KMS.describe_key(KeyId=key_id)["KeyMetadata"]
        self.assertEqual(
            described, plain | {"Description": "", "KeyState": "Disabled", "Enabled": False}
        )
        default = KMS.schedule_key_deletion(KeyId=key_id)
        self.assertEqual(default["PendingWindowInDays"], 30)

    def test_kinds_of_keys(self):
        for spec, usage, member, algorithms in [
            ("RSA_2048", "SIGN_VERIFY", "SigningAlgorithms", ANY),
            (
                "RSA_2048",
                "ENCRYPT_DECRYPT",
                "EncryptionAlgorithms",
                ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
            ),
            ("ECC_NIST_P256", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
            ("ECC_NIST_P384", "KEY_AGREEMENT", "KeyAgreementAlgorithms", ["ECDH"]),
            ("ECC_NIST_P521", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_512"]),
            ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
            (
                "ECC_NIST_EDWARDS25519",
                "SIGN_VERIFY",
                "SigningAlgorithms",
                ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
            ),
        ]:
            with self.subTest(spec=spec, usage=usage):
                metadata = KMS.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
                self.assertEqual((metadata["KeySpec"], metadata["KeyUsage"]), (spec, usage))
                self.assertEqual(metadata["CustomerMasterKeySpec"], spec)
                self.assertEqual(metadata[member], algorithms)
                self.assertNotIn("CurrentKeyMaterialId", metadata)
                public = KMS.get_public_key(KeyId=metadata["KeyId"])
                self.assertEqual(public["KeyId"], metadata["Arn"])
                self.assertEqual((public["KeySpec"], public["KeyUsage"]), (spec, usage))
                self.assertEqual(public[member], algorithms)
                serialization.load_der_public_key(public["PublicKey"])
                again = KMS.get_public_key(KeyId=metadata["KeyId"])
                self.assertEqual(again["PublicKey"], public["PublicKey"])
        metadata = KMS.create_key(MultiRegion=True)["KeyMetadata"]
        self.assertRegex(metadata["KeyId"], "^mrk-[0-9a-f]{32}$")
        self.assertEqual(
            metadata["MultiRegionConfiguration"],
            {
                "MultiRegionKeyType": "PRIMARY",
                "PrimaryKey": {"Arn": metadata["Arn"], "Region": REGION},
                "ReplicaKeys": [],
            },
        )
        metadata = KMS.create_key(Origin="EXTERNAL")["KeyMetadata"]
        self.assertEqual((metadata["KeyState"], metadata["Enabled"]), ("PendingImport", False))
        self.assertNotIn("CurrentKeyMaterialId", metadata)

    def test_keys_live_in_the_region_that_a_request_is_signed_for(self):
        key_id = create()
        elsewhere = SERVED.client("eu-west-1")
        self.assert_error(
            "NotFoundException",
            f"Key '{key_arn(key_id, 'eu-west-1')}' does not exist",
            elsewhere.describe_key,
            KeyId=key_id,
        )
        self.assert_error(
            "NotFoundException",
            f"Invalid arn {REGION}",
            elsewhere.describe_key,
            KeyId=key_arn(key_id),
        )
        there = elsewhere.create_key()["KeyMetadata"]
        self.assertEqual(there["Arn"], key_arn(there["KeyId"], "eu-west-1"))

    def test_an_alias(self):
        name = "alias/life/of-an_alias"
        first, second, signing = create(), create(), create_rsa("SIGN_VERIFY")
        created = KMS.create_alias(AliasName=name, TargetKeyId=first)
        self.assertEqual(members(created), {})
        (entry,) = KMS.list_aliases(KeyId=first)["Aliases"]
        self.assertEqual(
            entry,
            {
                "AliasName": name,
                "AliasArn": alias_arn(name),
                "TargetKeyId": first,
                "CreationDate": entry["CreationDate"],
                "LastUpdatedDate": entry["CreationDate"],
            },
        )
        for identifier in [name, alias_arn(name)]:
            described = KMS.describe_key(KeyId=identifier)["KeyMetadata"]
            self.assertEqual(described["KeyId"], first)
        KMS.update_alias(AliasName=name, TargetKeyId=key_arn(second))
        self.assertEqual(KMS.list_aliases(KeyId=first)["Aliases"], [])
        (moved,) = KMS.list_aliases(KeyId=key_arn(second))["Aliases"]
        self.assertEqual(moved["TargetKeyId"], second)
        self.assertEqual(moved["CreationDate"], entry["CreationDate"])
        self.assertGreaterEqual(moved["LastUpdatedDate"], entry["LastUpdatedDate"])
        self.assert_invalid(ANY, KMS.update_alias, AliasName=name, TargetKeyId=signing)
        KMS.delete_alias(AliasName=name)
        self.assertEqual(KMS.list_aliases(KeyId=second)["Aliases"], [])
        self.assert_error(
            "NotFoundException",
            f"Alias {alias_arn(name)} is not found.",
            KMS.describe_key,
            KeyId=name,
        )

    def test_tags(self):
        key_id = create()
        tag = {"TagKey": "k", "TagValue": "1"}
        KMS.tag_resource(KeyId=key_id, Tags=[tag, {"TagKey": "other", "TagValue": "é"}])
        KMS.tag_resource(KeyId=key_arn(key_id), Tags=[tag | {"TagValue": "2"}])
        listed = KMS.list_resource_tags(KeyId=key_id)
        self.assertFalse(listed["Truncated"])
        self.assertCountEqual(
            listed["Tags"], [tag | {"TagValue": "2"}, {"TagKey": "other", "TagValue": "é"}]
        )
        KMS.untag_resource(KeyId=key_id, TagKeys=["k", "not there"])
        self.assertEqual(
            KMS.list_resource_tags(KeyId=key_id)["Tags"], [{"TagKey": "other", "TagValue": "é"}]
        )

    def test_policies(self):
        key_id = create()
        answer = KMS.get_key_policy(KeyId=key_id)
        self.assertEqual(answer["PolicyName"], "default")
        self.assertEqual(
            answer["Policy"],
            "{\n"
            '  "Version" : "2012-10-17",\n'
            '  "Id" : "key-default-1",\n'
            '  "Statement" : [ {\n'
            '    "Sid" : "Enable IAM User Permissions",\n'
            '    "Effect" : "Allow",\n'
            '    "Principal" : {\n'
            f'      "AWS" : "arn:aws:iam::{ACCOUNT}:root"\n'
            "    },\n"
            '    "Action" : "kms:*",\n'
            '    "Resource" : "*"\n'
            "  } ]\n"
            "}",
        )
        self.assertEqual(KMS.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])
        policy = document(["kms:Put*", "kms:Describe*"])
        KMS.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
        kept = KMS.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
        self.assertEqual(json.loads(kept), json.loads(policy))
        locked = document("kms:Describe*")
        self.assert_error(
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
            KMS.put_key_policy,
            KeyId=key_id,
            Policy=locked,
        )
        KMS.put_key_policy(KeyId=key_id, Policy=locked, BypassPolicyLockoutSafetyCheck=True)
        kept = KMS.get_key_policy(KeyId=key_id)["Policy"]
        self.assertEqual(json.loads(kept), json.loads(locked))

    def test_grants(self):
        key_id = create()
        alice, bob = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ["alice", "bob"])
        parameters = {
            "KeyId": key_id,
            "GranteePrincipal": alice,
            "RetiringPrincipal": bob,
            "Operations": ["Encrypt", "Decrypt"],
            "Constraints": {"EncryptionContextSubset": {"a": "1"}},
            "Name": "named",
        }
        first = KMS.create_grant(**parameters)
        self.assertRegex(first["GrantId"], "^[0-9a-f]{64}$")
        again = KMS.create_grant(**parameters)
        self.assertEqual(again["GrantId"], first["GrantId"])
        self.assertNotEqual(again["GrantToken"], first["GrantToken"])
        bare = {"KeyId": key_id, "GranteePrincipal": bob, "Operations": ["DescribeKey"]}
        others = [KMS.create_grant(**bare) for _ in range(2)]
        self.assertNotEqual(others[0]["GrantId"], others[1]["GrantId"])

        (entry,) = KMS.list_grants(KeyId=key_id, GrantId=first["GrantId"])["Grants"]
        self.assert_recent(entry.pop("CreationDate"))
        self.assertCountEqual(entry.pop("Operations"), ["Encrypt", "Decrypt"])
        self.assertEqual(
            entry,
            {
                "KeyId": key_arn(key_id),
                "GrantId": first["GrantId"],
                "Name": "named",
                "GranteePrincipal": alice,
                "RetiringPrincipal": bob,
                "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
                "Constraints": {"EncryptionContextSubset": {"a": "1"}},
            },
        )
        listed = KMS.list_grants(KeyId=key_id, GranteePrincipal=bob)["Grants"]
        self.assertCountEqual(
            [grant["GrantId"] for grant in listed], [grant["GrantId"] for grant in others]
        )
        self.assertEqual(len(KMS.list_grants(KeyId=key_arn(key_id))["Grants"]), 3)

        sealed = KMS.encrypt(KeyId=key_id, Plaintext=b"x", GrantTokens=[first["GrantToken"]])
        opened = KMS.decrypt(
            CiphertextBlob=sealed["CiphertextBlob"],
            GrantTokens=[first["GrantToken"], others[0]["GrantToken"]],
        )
        self.assertEqual(opened["Plaintext"], b"x")

        by_id = {"KeyId": key_arn(key_id), "GrantId": others[0]["GrantId"]}
        self.assert_dry_run(KMS.retire_grant, GrantToken=again["GrantToken"])
        self.assert_dry_run(KMS.revoke_grant, **by_id)
        self.assertEqual(len(KMS.list_grants(KeyId=key_id)["Grants"]), 3)
        self.assertEqual(members(KMS.retire_grant(GrantToken=again["GrantToken"])), {})
        KMS.retire_grant(**by_id)
        self.assertEqual(
            members(KMS.revoke_grant(KeyId=key_id, GrantId=others[1]["GrantId"])), {}
        )
        self.assertEqual(KMS.list_grants(KeyId=key_id)["Grants"], [])

    def test_rotation(self):
        created = KMS.create_key()["KeyMetadata"]
        key_id = created["KeyId"]
        first = created["CurrentKeyMaterialId"]
        off = {"KeyRotationEnabled": False, "KeyId": key_arn(key_id)}
        self.assertEqual(members(KMS.get_key_rotation_status(KeyId=key_id)), off)
        KMS.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
        on = members(KMS.get_key_rotation_status(KeyId=key_id))
        self.assert_recent(on["NextRotationDate"] - 90 * DAY)
        self.assertEqual(
            on,
            {
                "KeyRotationEnabled": True,
                "KeyId": key_arn(key_id),
                "RotationPeriodInDays": 90,
                "NextRotationDate": on["NextRotationDate"],
            },
        )
        old = KMS.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
        rotated = KMS.rotate_key_on_demand(KeyId=key_id)
        self.assertEqual(members(rotated), {"KeyId": key_arn(key_id)})
        second = KMS.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]
        self.assertNotEqual(second, first)
        self.assertEqual(members(KMS.get_key_rotation_status(KeyId=key_id)), on)

        opened = KMS.decrypt(CiphertextBlob=old)
        self.assertEqual((opened["Plaintext"], opened["KeyMaterialId"]), (b"old", first))
        data_key = KMS.generate_data_key(KeyId=key_id, KeySpec="AES_128")
        self.assertEqual(data_key["KeyMaterialId"], second)
        renewed = KMS.re_encrypt(CiphertextBlob=old, DestinationKeyId=key_id)
        self.assertEqual(renewed["SourceKeyMaterialId"], first)
        self.assertEqual(renewed["DestinationKeyMaterialId"], second)

        (entry,) = KMS.list_key_rotations(KeyId=key_id)["Rotations"]
        self.assert_recent(entry["RotationDate"])
        self.assertEqual(entry["RotationType"], "ON_DEMAND")
        entries = KMS.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
        shown = [
            (entry["KeyMaterialId"], entry["KeyMaterialState"], entry.get("RotationType"))
            for entry in entries["Rotations"]
        ]
        self.assertCountEqual(
            shown, [(first, "NON_CURRENT", None), (second, "CURRENT", "ON_DEMAND")]
        )
        KMS.disable_key_rotation(KeyId=key_id)
        self.assertEqual(members(KMS.get_key_rotation_status(KeyId=key_id)), off)

        for _ in range(24):
            KMS.rotate_key_on_demand(KeyId=key_id)
        self.assert_error(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. "
            "No more on-demand rotations can be performed for this key: " + key_arn(key_id),
            KMS.rotate_key_on_demand,
            KeyId=key_id,
        )
        self.assertEqual(KMS.decrypt(CiphertextBlob=old)["Plaintext"], b"old")

    def test_the_last_use(self):
        created = KMS.create_key()["KeyMetadata"]
        key_id = created["KeyId"]
        unused = {
            "KeyId": key_arn(key_id),
            "KeyLastUsage": {},
            "TrackingStartDate": created["CreationDate"],
            "KeyCreationDate": created["CreationDate"],
        }
        self.assertEqual(members(KMS.get_key_last_usage(KeyId=key_id)), unused)
        self.assert_invalid(ANY, KMS.generate_data_key, KeyId=key_id)
        self.assert_dry_run(KMS.encrypt, KeyId=key_id, Plaintext=b"x")
        self.assertEqual(members(KMS.get_key_last_usage(KeyId=key_id)), unused)

        sealed = KMS.encrypt(KeyId=key_id, Plaintext=b"x")
        usage = KMS.get_key_last_usage(KeyId=key_id)["KeyLastUsage"]
        self.assertEqual(usage["Operation"], "Encrypt")
        self.assertEqual(usage["KmsRequestId"], sealed["ResponseMetadata"]["RequestId"])
        self.assert_recent(usage["Timestamp"])
        other = create()
        moved = KMS.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], DestinationKeyId=other)
        for key in [key_id, other]:
            usage = KMS.get_key_last_usage(KeyId=key)["KeyLastUsage"]
            self.assertEqual(usage["Operation"], "ReEncrypt")
            self.assertEqual(usage["KmsRequestId"], moved["ResponseMetadata"]["RequestId"])

    def test_a_store_in_a_file_outlives_its_server(self):
        store = ["--demo-store", str(self.home / "store")]
        with Served(*store) as served:
            client = served.client()
            key_id = create(client, Description="kept")
            client.create_alias(AliasName="alias/kept", TargetKeyId=key_id)
            sealed = client.encrypt(KeyId="alias/kept", Plaintext=b"kept")["CiphertextBlob"]
        self.assertEqual(served.code, 143)
        with Served(*store) as served:
            client = served.client()
            opened = client.decrypt(CiphertextBlob=sealed, KeyId="alias/kept")
            self.assertEqual(opened["Plaintext"], b"kept")
            described = client.describe_key(KeyId=key_id)["KeyMetadata"]
            self.assertEqual(described["Description"], "kept")


class Encrypts(ServeTest):
    CONTEXT = {"a": "1", "é": "🔑"}

    def test_under_a_symmetric_key(self):
        key_id = create()
        KMS.create_alias(AliasName="alias/encrypts/symmetric", TargetKeyId=key_id)
        for identifier in [key_id, key_arn(key_id), "alias/encrypts/symmetric"]:
            for plaintext in [b"x", bytes(range(256)) * 16]:
                sealed = members(
                    KMS.encrypt(
                        KeyId=identifier, Plaintext=plaintext, EncryptionContext=self.CONTEXT
                    )
                )
                blob = sealed.pop("CiphertextBlob")
                self.assertEqual(
                    sealed,
                    {"KeyId": key_arn(key_id), "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"},
                )
                opened = members(KMS.decrypt(CiphertextBlob=blob, EncryptionContext=self.CONTEXT))
                self.assertRegex(opened.pop("KeyMaterialId"), "^[0-9a-f]{64}$")
                self.assertEqual(opened, sealed | {"Plaintext": plaintext})
        silent = ("InvalidCiphertextException", "")
        for context in [{}, {"a": "1"}, {"a": "1", "é": "🔐"}, self.CONTEXT | {"b": "2"}]:
            self.assert_error(
                *silent, KMS.decrypt, CiphertextBlob=blob, EncryptionContext=context
            )
        for bad in [blob[:-1], blob + b"\0", bytes([blob[0] ^ 1]) + blob[1:], b"x"]:
            self.assert_error(
                *silent, KMS.decrypt, CiphertextBlob=bad, EncryptionContext=self.CONTEXT
            )
        # What runs together when it is written one after the other does not open.
        blob = KMS.encrypt(KeyId=key_id, Plaintext=b"x", EncryptionContext={"a": "bc"})
        self.assert_error(
            *silent,
            KMS.decrypt,
            CiphertextBlob=blob["CiphertextBlob"],
            EncryptionContext={"ab": "c"},
        )

    def test_under_an_rsa_key_with_its_public_key(self):
        key_id = create_rsa()
        public = serialization.load_der_public_key(KMS.get_public_key(KeyId=key_id)["PublicKey"])
        for algorithm, hash_, most in [
            ("RSAES_OAEP_SHA_1", hashes.SHA1(), 214),
            ("RSAES_OAEP_SHA_256", hashes.SHA256(), 190),
        ]:
            oaep = padding.OAEP(padding.MGF1(hash_), hash_, None)
            asked = {"KeyId": key_id, "EncryptionAlgorithm": algorithm}
            here = KMS.encrypt(Plaintext=b"p" * most, **asked)["CiphertextBlob"]
            self.assertEqual(len(here), 256)
            for blob in [here, public.encrypt(b"p" * most, oaep)]:
                opened = members(KMS.decrypt(CiphertextBlob=blob, **asked))
                self.assertEqual(
                    opened,
                    {
                        "KeyId": key_arn(key_id),
                        "Plaintext": b"p" * most,
                        "EncryptionAlgorithm": algorithm,
                    },
                )
            self.assert_invalid(
                f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than "
                f"{most} bytes.",
                KMS.encrypt,
                Plaintext=b"p" * (most + 1),
                **asked,
            )
        self.assert_error(
            "InvalidCiphertextException",
            "",
            KMS.decrypt,
            CiphertextBlob=here,
            KeyId=key_id,
            EncryptionAlgorithm="RSAES_OAEP_SHA_1",
        )
        self.assert_error("InvalidCiphertextException", "", KMS.decrypt, CiphertextBlob=here)

    def test_re_encrypt(self):
        source, destination, rsa = create(), create(), create_rsa()
        blob = KMS.encrypt(KeyId=source, Plaintext=b"x", EncryptionContext=self.CONTEXT)
        moved = members(
            KMS.re_encrypt(
                CiphertextBlob=blob["CiphertextBlob"],
                SourceEncryptionContext=self.CONTEXT,
                SourceKeyId=source,
                DestinationKeyId=destination,
                DestinationEncryptionContext={"b": "2"},
            )
        )
        sealed = moved.pop("CiphertextBlob")
        self.assertRegex(moved.pop("SourceKeyMaterialId"), "^[0-9a-f]{64}$")
        self.assertRegex(moved.pop("DestinationKeyMaterialId"), "^[0-9a-f]{64}$")
        self.assertEqual(
            moved,
            {
                "SourceKeyId": key_arn(source),
                "KeyId": key_arn(destination),
                "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
            },
        )
        opened = KMS.decrypt(CiphertextBlob=sealed, EncryptionContext={"b": "2"})
        self.assertEqual(opened["Plaintext"], b"x")

        to_rsa = KMS.re_encrypt(
            CiphertextBlob=sealed,
            SourceEncryptionContext={"b": "2"},
            DestinationKeyId=rsa,
            DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
        back = KMS.re_encrypt(
            CiphertextBlob=to_rsa["CiphertextBlob"],
            SourceKeyId=rsa,
            SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
            DestinationKeyId=source,
        )
        opened = KMS.decrypt(CiphertextBlob=back["CiphertextBlob"])
        self.assertEqual((opened["KeyId"], opened["Plaintext"]), (key_arn(source), b"x"))

    def test_data_keys(self):
        key_id = create()
        for asked, length in [
            ({"KeySpec": "AES_128"}, 16),
            ({"KeySpec": "AES_256"}, 32),
            ({"NumberOfBytes": 1}, 1),
            ({"NumberOfBytes": 1024}, 1024),
        ]:
            parameters = {"KeyId": key_id, "EncryptionContext": self.CONTEXT} | asked
            made = members(KMS.generate_data_key(**parameters))
            sealed = members(KMS.generate_data_key_without_plaintext(**parameters))
            self.assertEqual(set(made), {"CiphertextBlob", "Plaintext", "KeyId", "KeyMaterialId"})
            self.assertEqual(set(sealed), {"CiphertextBlob", "KeyId", "KeyMaterialId"})
            self.assertEqual(len(made["Plaintext"]), length)
            plaintexts = [
                KMS.decrypt(
                    CiphertextBlob=answer["CiphertextBlob"], EncryptionContext=self.CONTEXT
                )["Plaintext"]
                for answer in [made, sealed]
            ]
            self.assertEqual(plaintexts[0], made["Plaintext"])
            self.assertEqual(len(plaintexts[1]), length)

    def test_data_key_pairs(self):
        key_id = create()
        for spec in [
            "RSA_2048",
            "ECC_NIST_P256",
            "ECC_NIST_P384",
            "ECC_NIST_P521",
            "ECC_SECG_P256K1",
            "ECC_NIST_EDWARDS25519",
        ]:
            with self.subTest(spec=spec):
                asked = {
                    "KeyId": key_id,
                    "KeyPairSpec": spec,
                    "EncryptionContext": self.CONTEXT,
                }
                made = members(KMS.generate_data_key_pair(**asked))
                sealed = members(KMS.generate_data_key_pair_without_plaintext(**asked))
                self.assertEqual(set(made) - set(sealed), {"PrivateKeyPlaintext"})
                for pair in [made, sealed]:
                    self.assertEqual((pair["KeyId"], pair["KeyPairSpec"]), (key_arn(key_id), spec))
                    opened = KMS.decrypt(
                        CiphertextBlob=pair["PrivateKeyCiphertextBlob"],
                        EncryptionContext=self.CONTEXT,
                    )["Plaintext"]
                    self.assertEqual(pair.get("PrivateKeyPlaintext", opened), opened)
                    private = serialization.load_der_private_key(opened, None)
                    public = private.public_key().public_bytes(
                        serialization.Encoding.DER,
                        serialization.PublicFormat.SubjectPublicKeyInfo,
                    )
                    self.assertEqual(public, pair["PublicKey"])

    def test_random_bytes(self):
        for length in [1, 1024]:
            drawn = KMS.generate_random(NumberOfBytes=length)
            self.assertEqual(set(members(drawn)), {"Plaintext"})
            self.assertEqual(len(drawn["Plaintext"]), length)

    def test_dry_runs(self):
        key_id = create()
        blob = KMS.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        principal = f"arn:aws:iam::{ACCOUNT}:user/alice"
        grant = {"KeyId": key_id, "GranteePrincipal": principal, "Operations": ["Decrypt"]}
        spec = {"KeyId": key_id, "KeySpec": "AES_256"}
        pair = {"KeyId": key_id, "KeyPairSpec": "ECC_NIST_P256"}
        self.assert_dry_run(KMS.encrypt, KeyId=key_id, Plaintext=b"x")
        self.assert_dry_run(KMS.decrypt, CiphertextBlob=blob)
        self.assert_dry_run(KMS.re_encrypt, CiphertextBlob=blob, DestinationKeyId=key_id)
        self.assert_dry_run(KMS.generate_data_key, **spec)
        self.assert_dry_run(KMS.generate_data_key_without_plaintext, **spec)
        self.assert_dry_run(KMS.generate_data_key_pair, **pair)
        self.assert_dry_run(KMS.generate_data_key_pair_without_plaintext, **pair)
        self.assert_dry_run(KMS.create_grant, **grant)
        self.assertEqual(KMS.list_grants(KeyId=key_id)["Grants"], [])
        self.assert_dry_run(
            KMS.decrypt, KeyId=key_id, DryRunModifiers=["IGNORE_CIPHERTEXT"]
        )
        self.assert_dry_run(
            KMS.re_encrypt,
            SourceKeyId=key_id,
            DestinationKeyId=key_id,
            DryRunModifiers=["IGNORE_CIPHERTEXT"],
        )
        # It is the last check.
        KMS.disable_key(KeyId=key_id)
        disabled = ("DisabledException", f"{key_arn(key_id)} is disabled.")
        self.assert_error(*disabled, KMS.encrypt, KeyId=key_id, Plaintext=b"x", DryRun=True)
        self.assert_error(*disabled, KMS.decrypt, CiphertextBlob=blob, DryRun=True)
        self.assert_error(*disabled, KMS.create_grant, DryRun=True, **grant)


class Refuses(ServeTest):
    """What a client can cause, with the service's words. `?` in a message is the key's ARN."""

    @classmethod
    def setUpClass(cls):
        cls.key = create()
        cls.arn = key_arn(cls.key)
        cls.rsa = create_rsa()
        cls.signing = create_rsa("SIGN_VERIFY")
        cls.curve = create(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
        cls.disabled = create()
        cls.going = create()
        cls.waiting = create(Origin="EXTERNAL")
        cls.mac = "alias/payments/prod/terminal-mac"
        cls.blob = KMS.encrypt(KeyId=cls.key, Plaintext=b"x")["CiphertextBlob"]
        cls.disabled_blob = KMS.encrypt(KeyId=cls.disabled, Plaintext=b"x")["CiphertextBlob"]
        KMS.create_alias(AliasName="alias/refuses", TargetKeyId=cls.key)
        KMS.disable_key(KeyId=cls.disabled)
        KMS.schedule_key_deletion(KeyId=cls.going)

    def assert_refusals(self, call, *cases, **common):
        """Each case: a code, a message, and what the call has beside the common parameters."""
        for code, message, parameters in cases:
            parameters = common | parameters
            asked = {name: value for name, value in parameters.items() if value is not None}
            with self.subTest(call=call.__name__, asked=str(asked)[:200]):
                if isinstance(message, str):
                    message = message.replace("?", key_arn(asked.get("KeyId", "")))
                self.assert_error(code, message, call, **asked)

    def assert_violations(self, call, *cases, **common):
        """Each case: what is violated, and the parameters."""
        self.assert_refusals(
            call,
            *(
                ("ValidationException", f"1 validation error detected: {violation}", parameters)
                for violation, parameters in cases
            ),
            **common,
        )

    @staticmethod
    def enum(name):
        """The words of an enum, as messages list them."""
        return f"[{', '.join(KMS.meta.service_model.shape_for(name).enum)}]"

    NULL_KEY_ID = (
        "Value null at 'keyId' failed to satisfy constraint: Member must not be null"
    )

    def test_identifiers(self):
        tokyo = f"arn:aws:kms:ap-northeast-1:{ACCOUNT}:key/{ABSENT}"
        dashless = ABSENT.replace("-", "")
        cases = [
            ("NotFoundException", f"Key '{key_arn(ABSENT)}' does not exist", ABSENT),
            ("NotFoundException", f"Key '{key_arn(ABSENT)}' does not exist", key_arn(ABSENT)),
            (
                "NotFoundException",
                f"Key '{key_arn(ABSENT.upper())}' does not exist",
                ABSENT.upper(),
            ),
            ("NotFoundException", "Invalid keyId 'fake-key-id'", "fake-key-id"),
            ("NotFoundException", f"Invalid keyId '{dashless}'", dashless),
            ("NotFoundException", "Invalid keyId 'mrk-1234'", "mrk-1234"),
            ("NotFoundException", "Invalid keyId foo", key_arn("foo")),
            ("NotFoundException", "Invalid arn ap-northeast-1", tokyo),
            ("InvalidArnException", ANY, "arn:aws:kms"),
            (
                "ValidationException",
                "1 validation error detected: Value 'キー' at 'keyId' failed to satisfy "
                r"constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$",
                "キー",
            ),
            (
                "ValidationException",
                "2 validation errors detected: Value '' at 'keyId' failed to satisfy "
                "constraint: Member must have length greater than or equal to 1; Value '' at "
                "'keyId' failed to satisfy constraint: Member must satisfy regular expression "
                r"pattern: ^\p{ASCII}+$",
                "",
            ),
            (
                "ValidationException",
                f"1 validation error detected: Value '{'k' * 2049}' at 'keyId' failed to satisfy "
                "constraint: Member must have length less than or equal to 2048",
                "k" * 2049,
            ),
        ]
        absent = [
            ("NotFoundException", f"Alias {alias_arn('alias/x')} is not found.", name)
            for name in ["alias/x", alias_arn("alias/x")]
        ]
        alias = [
            (
                "InvalidArnException",
                "Key Aliases are not supported for this operation.",
                name,
            )
            for name in ["alias/refuses", alias_arn("alias/refuses"), "alias/not/there"]
        ]
        tags = [{"TagKey": "a", "TagValue": "b"}]
        grantee = f"arn:aws:iam::{ACCOUNT}:user/alice"
        for calls, of_aliases in [
            (
                {
                    RAW.describe_key: {},
                    RAW.get_public_key: {},
                    RAW.generate_data_key_without_plaintext: {"KeySpec": "AES_256"},
                    RAW.generate_data_key: {"KeySpec": "AES_256"},
                    RAW.generate_data_key_pair: {"KeyPairSpec": "ECC_NIST_P256"},
                    RAW.encrypt: {"Plaintext": b"x"},
                    RAW.decrypt: {"CiphertextBlob": self.blob},
                },
                absent,
            ),
            (
                {
                    RAW.get_key_policy: {},
                    RAW.put_key_policy: {"Policy": document()},
                    RAW.list_key_policies: {},
                    RAW.list_grants: {},
                    RAW.create_grant: {"GranteePrincipal": grantee, "Operations": ["Decrypt"]},
                    RAW.revoke_grant: {"GrantId": "0" * 64},
                    RAW.list_resource_tags: {},
                    RAW.tag_resource: {"Tags": tags},
                    RAW.untag_resource: {"TagKeys": ["a"]},
                    RAW.get_key_rotation_status: {},
                    RAW.enable_key_rotation: {},
                    RAW.disable_key_rotation: {},
                    RAW.rotate_key_on_demand: {},
                    RAW.list_key_rotations: {},
                    RAW.enable_key: {},
                    RAW.disable_key: {},
                    RAW.schedule_key_deletion: {},
                    RAW.cancel_key_deletion: {},
                    RAW.update_key_description: {"Description": ""},
                    RAW.get_key_last_usage: {},
                },
                alias,
            ),
        ]:
            for call, parameters in calls.items():
                for code, message, identifier in cases + of_aliases:
                    with self.subTest(call=call.__name__, identifier=identifier[:100]):
                        self.assert_error(code, message, call, KeyId=identifier, **parameters)
                if call != RAW.decrypt:
                    self.assert_violations(call, (self.NULL_KEY_ID, {}), **parameters)

    def test_data_keys(self):
        either = "Please specify either number of bytes or key spec."
        for operation in ["GenerateDataKeyWithoutPlaintext", "GenerateDataKey"]:
            call = {
                "GenerateDataKeyWithoutPlaintext": RAW.generate_data_key_without_plaintext,
                "GenerateDataKey": RAW.generate_data_key,
            }[operation]
            at_bytes = "at 'numberOfBytes' failed to satisfy constraint: Member must have value"
            self.assert_violations(
                call,
                (f"Value '0' {at_bytes} greater than or equal to 1", {"NumberOfBytes": 0}),
                (f"Value '1025' {at_bytes} less than or equal to 1024", {"NumberOfBytes": 1025}),
                *(
                    (
                        f"Value '{spec}' at 'keySpec' failed to satisfy constraint: Member must "
                        f"satisfy enum value set: {self.enum('KeySpec')}",
                        {"KeySpec": spec},
                    )
                    for spec in ["FOO", "RSA_2048"]
                ),
                # Shapes go before the look-up.
                KeyId=ABSENT,
            )
            self.assert_refusals(
                call,
                ("ValidationException", either, {"KeyId": self.key}),
                # It goes after the look-up, and before usage and state.
                ("NotFoundException", ANY, {"KeyId": ABSENT}),
                ("ValidationException", either, {"KeyId": self.signing}),
                ("ValidationException", either, {"KeyId": self.disabled}),
            )
            self.assert_refusals(
                call,
                ("ValidationException", either, {"KeyId": self.key, "NumberOfBytes": 32}),
                (
                    "InvalidKeyUsageException",
                    f"? key usage is SIGN_VERIFY which is not valid for {operation}.",
                    {"KeyId": self.signing},
                ),
                (
                    "InvalidKeyUsageException",
                    f"? key usage is KEY_AGREEMENT which is not valid for {operation}.",
                    {"KeyId": self.curve},
                ),
                (
                    "InvalidKeyUsageException",
                    "You cannot generate a data key with an asymmetric CMK",
                    {"KeyId": self.rsa},
                ),
                ("DisabledException", "? is disabled.", {"KeyId": self.disabled}),
                ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
                ("KMSInvalidStateException", "? is pending import.", {"KeyId": self.waiting}),
                (
                    "ValidationException",
                    "Invalid EncryptionContext",
                    {"KeyId": self.key, "EncryptionContext": {"a": ""}},
                ),
                (
                    "ValidationException",
                    ANY,
                    {"KeyId": self.key, "GrantTokens": [f"token-{i}" for i in range(11)]},
                ),
                ("ValidationException", ANY, {"KeyId": self.key, "GrantTokens": ["t" * 8193]}),
                ("InvalidGrantTokenException", ANY, {"KeyId": self.key, "GrantTokens": ["t"]}),
                KeySpec="AES_256",
            )
        self.assert_refusals(
            RAW.generate_data_key_pair,
            (
                "ValidationException",
                "1 validation error detected: Value null at 'keyPairSpec' failed to satisfy "
                "constraint: Member must not be null",
                {"KeyPairSpec": None},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value 'FOO' at 'keyPairSpec' failed to satisfy "
                f"constraint: Member must satisfy enum value set: {self.enum('DataKeyPairSpec')}",
                {"KeyPairSpec": "FOO"},
            ),
            ("UnsupportedOperationException", ANY, {"KeyPairSpec": "SM2"}),
            ("DisabledException", "? is disabled.", {"KeyId": self.disabled}),
            (
                "InvalidKeyUsageException",
                "You cannot generate a data key with an asymmetric CMK",
                {"KeyId": self.rsa},
            ),
            KeyId=self.key,
            KeyPairSpec="ECC_NIST_P256",
        )
        at_bytes = "at 'numberOfBytes' failed to satisfy constraint: Member must have value"
        self.assert_refusals(
            RAW.generate_random,
            ("ValidationException", "NumberOfBytes is required.", {}),
            ("CustomKeyStoreNotFoundException", ANY, {"CustomKeyStoreId": "cks-0"}),
        )
        self.assert_violations(
            RAW.generate_random,
            (f"Value '0' {at_bytes} greater than or equal to 1", {"NumberOfBytes": 0}),
            (f"Value '1025' {at_bytes} less than or equal to 1024", {"NumberOfBytes": 1025}),
        )

    def test_encryption(self):
        algorithms = "[RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]"
        self.assert_violations(
            RAW.encrypt,
            (
                "Value at 'plaintext' failed to satisfy constraint: Member must have length less "
                "than or equal to 4096",
                {"Plaintext": b"x" * 4097},
            ),
            (
                "Value at 'plaintext' failed to satisfy constraint: Member must have length "
                "greater than or equal to 1",
                {"Plaintext": b""},
            ),
            (
                "Value at 'plaintext' failed to satisfy constraint: Member must not be null",
                {"Plaintext": None},
            ),
            (
                "Value 'FOO' at 'encryptionAlgorithm' failed to satisfy constraint: Member must "
                f"satisfy enum value set: {algorithms}",
                {"EncryptionAlgorithm": "FOO"},
            ),
            KeyId=ABSENT,
            Plaintext=b"x",
        )
        self.assert_refusals(
            RAW.encrypt,
            (
                "InvalidKeyUsageException",
                "? key usage is SIGN_VERIFY which is not valid for Encrypt.",
                {"KeyId": self.signing},
            ),
            ("DisabledException", "? is disabled.", {"KeyId": self.disabled}),
            ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
            ("KMSInvalidStateException", "? is pending import.", {"KeyId": self.waiting}),
            (
                "InvalidKeyUsageException",
                "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.",
                {"KeyId": self.rsa},
            ),
            (
                "InvalidKeyUsageException",
                "Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.",
                {"KeyId": self.key, "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"},
            ),
            (
                "ValidationException",
                "EncryptionContext is not supported when encrypting/decrypting with asymmetric "
                "CMKs.",
                {
                    "KeyId": self.rsa,
                    "EncryptionAlgorithm": "RSAES_OAEP_SHA_1",
                    "EncryptionContext": {"a": "b"},
                },
            ),
            ("InvalidGrantTokenException", ANY, {"KeyId": self.key, "GrantTokens": ["t"]}),
            Plaintext=b"x",
        )

        incorrect = (
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )
        at_blob = "at 'ciphertextBlob' failed to satisfy constraint: Member must"
        for call, key_id, more in [
            (RAW.decrypt, "KeyId", {}),
            (RAW.re_encrypt, "SourceKeyId", {"DestinationKeyId": self.key}),
        ]:
            self.assert_violations(
                call,
                (f"Value null {at_blob} not be null", {}),
                (
                    f"Value {at_blob} have length less than or equal to 6144",
                    {"CiphertextBlob": b"x" * 6145},
                ),
                (
                    f"Value {at_blob} have length greater than or equal to 1",
                    {"CiphertextBlob": b""},
                ),
                **more,
            )
            # Another key is wrong, whatever its kind and state.
            others = [
                self.rsa,
                self.signing,
                self.disabled,
                self.going,
                self.waiting,
                self.mac,
            ]
            self.assert_refusals(
                call,
                *((*incorrect, {key_id: other}) for other in others),
                (
                    "DisabledException",
                    f"{key_arn(self.disabled)} is disabled.",
                    {"CiphertextBlob": self.disabled_blob},
                ),
                ("InvalidCiphertextException", "", {"CiphertextBlob": b"\0" * 256}),
                CiphertextBlob=self.blob,
                **more,
            )
        lost = SERVED.client("eu-west-1")
        self.assert_refusals(
            lost.decrypt,
            (
                "AccessDeniedException",
                "The ciphertext refers to a customer master key that does not exist, does not "
                "exist in this region, or you are not allowed to access.",
                {"CiphertextBlob": self.blob},
            ),
        )
        rsa = create_rsa()
        KMS.disable_key(KeyId=rsa)
        self.assert_refusals(
            RAW.decrypt,
            # Before the ciphertext is looked at.
            ("DisabledException", "? is disabled.", {"KeyId": rsa}),
            ("InvalidCiphertextException", "", {"KeyId": self.rsa}),
            CiphertextBlob=b"x",
            EncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )
        self.assert_refusals(
            RAW.re_encrypt,
            (
                *incorrect,
                {"SourceKeyId": self.rsa, "DestinationKeyId": self.signing},
            ),
            (
                "InvalidKeyUsageException",
                f"{key_arn(self.signing)} key usage is SIGN_VERIFY which is not valid for "
                "ReEncryptTo.",
                {"DestinationKeyId": self.signing},
            ),
            (
                "DisabledException",
                f"{key_arn(self.disabled)} is disabled.",
                {"DestinationKeyId": self.disabled},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value null at 'destinationKeyId' failed to satisfy "
                "constraint: Member must not be null",
                {},
            ),
            CiphertextBlob=self.blob,
        )
        self.assert_refusals(
            RAW.get_public_key,
            ("UnsupportedOperationException", "", {"KeyId": self.key}),
            ("UnsupportedOperationException", "", {"KeyId": self.mac}),
            ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
        )

    def test_create_key(self):
        tag = {"TagKey": "a", "TagValue": "b"}
        self.assert_refusals(
            RAW.create_key,
            (
                "ValidationException",
                "You must specify a KeyUsage value for all KMS keys except for symmetric "
                "encryption keys.",
                {"KeySpec": "RSA_2048"},
            ),
            *(
                (
                    "ValidationException",
                    f"KeyUsage {usage} is not compatible with KeySpec {spec}.",
                    {"KeySpec": spec, "KeyUsage": usage},
                )
                for usage, spec in [
                    ("SIGN_VERIFY", "SYMMETRIC_DEFAULT"),
                    ("KEY_AGREEMENT", "RSA_2048"),
                    ("KEY_AGREEMENT", "ECC_SECG_P256K1"),
                    ("ENCRYPT_DECRYPT", "ECC_NIST_P256"),
                    ("ENCRYPT_DECRYPT", "HMAC_256"),
                ]
            ),
            (
                "UnsupportedOperationException",
                "KeySpec SM2 is not supported in this Region",
                {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
            ),
            (
                "UnsupportedOperationException",
                ANY,
                {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            ),
            (
                "UnsupportedOperationException",
                ANY,
                {"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"},
            ),
            (
                "TagException",
                "Too many tags",
                {"Tags": [{"TagKey": str(i), "TagValue": ""} for i in range(51)]},
            ),
            (
                "TagException",
                "Tags beginning with aws: are reserved",
                {"Tags": [tag | {"TagKey": "AWS:x"}]},
            ),
            ("TagException", "Duplicate tag keys", {"Tags": [tag, tag]}),
            (
                "ValidationException",
                "1 validation error detected: Value null at 'tags.2.member.tagValue' failed to "
                "satisfy constraint: Member must not be null",
                {"Tags": [tag, {"TagKey": "b"}]},
            ),
            (
                "ValidationException",
                f"1 validation error detected: Value '{'v' * 257}' at 'tags.1.member.tagValue' "
                "failed to satisfy constraint: Member must have length less than or equal to 256",
                {"Tags": [tag | {"TagValue": "v" * 257}]},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value 'FOO' at 'keySpec' failed to satisfy "
                f"constraint: Member must satisfy enum value set: {self.enum('KeySpec')}",
                {"KeySpec": "FOO"},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value 'FOO' at 'keyUsage' failed to satisfy "
                f"constraint: Member must satisfy enum value set: {self.enum('KeyUsageType')}",
                {"KeyUsage": "FOO"},
            ),
            (
                "ValidationException",
                f"1 validation error detected: Value '{'d' * 8193}' at 'description' failed to "
                "satisfy constraint: Member must have length less than or equal to 8192",
                {"Description": "d" * 8193},
            ),
            (
                "MalformedPolicyDocumentException",
                "The new key policy will not allow you to update the key policy in the future.",
                {"Policy": document("kms:Describe*")},
            ),
            ("MalformedPolicyDocumentException", ANY, {"Policy": "{"}),
            ("MalformedPolicyDocumentException", ANY, {"Policy": document(Action=None)}),
            ("MalformedPolicyDocumentException", ANY, {"Policy": document(Resource=None)}),
            ("LimitExceededException", ANY, {"Policy": document(Sid="s" * 32768)}),
            (
                "CustomKeyStoreNotFoundException",
                ANY,
                {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-0"},
            ),
            ("ValidationException", ANY, {"Origin": "AWS_CLOUDHSM"}),
        )

    def test_changes(self):
        at_key = {"KeyId": self.key}
        self.assert_refusals(
            RAW.schedule_key_deletion,
            *(
                (
                    "ValidationException",
                    "PendingWindowInDays must be between 7 and 30",
                    at_key | {"PendingWindowInDays": days},
                )
                for days in [6, 31]
            ),
            ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
        )
        at_days = "at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value"
        self.assert_violations(
            RAW.enable_key_rotation,
            (f"Value '89' {at_days} greater than or equal to 90", {"RotationPeriodInDays": 89}),
            (f"Value '2561' {at_days} less than or equal to 2560", {"RotationPeriodInDays": 2561}),
            KeyId=ABSENT,
        )
        for call in [RAW.enable_key_rotation, RAW.rotate_key_on_demand]:
            self.assert_refusals(
                call,
                ("UnsupportedOperationException", "", {"KeyId": self.rsa}),
                ("DisabledException", "? is disabled.", {"KeyId": self.disabled}),
                ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
            )
        external = "? origin is EXTERNAL which is not valid for this operation."
        for call in [RAW.enable_key_rotation, RAW.disable_key_rotation]:
            self.assert_refusals(
                call, ("UnsupportedOperationException", external, {"KeyId": self.waiting})
            )
        RAW.disable_key_rotation(KeyId=self.rsa)
        self.assertFalse(RAW.get_key_rotation_status(KeyId=self.rsa)["KeyRotationEnabled"])
        self.assert_refusals(
            RAW.cancel_key_deletion,
            ("KMSInvalidStateException", "? is not pending deletion.", at_key),
        )
        tag = {"TagKey": "a", "TagValue": "b"}
        self.assert_refusals(
            RAW.tag_resource,
            ("TagException", "Duplicate tag keys", {"Tags": [tag, tag]}),
            (
                "TagException",
                "Tags beginning with aws: are reserved",
                {"Tags": [tag | {"TagKey": "aws:x"}]},
            ),
            (
                "TagException",
                "Too many tags",
                {"Tags": [{"TagKey": str(i), "TagValue": ""} for i in range(51)]},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value null at 'tags' failed to satisfy constraint: "
                "Member must not be null",
                {},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value '' at 'tags.1.member.tagKey' failed to "
                "satisfy constraint: Member must have length greater than or equal to 1",
                {"Tags": [tag | {"TagKey": ""}]},
            ),
            **at_key,
        )
        self.assert_refusals(
            RAW.untag_resource,
            (
                "ValidationException",
                "1 validation error detected: Value null at 'tagKeys' failed to satisfy "
                "constraint: Member must not be null",
                at_key,
            ),
            ("ValidationException", ANY, at_key | {"TagKeys": [""]}),
        )
        self.assert_refusals(
            RAW.put_key_policy,
            ("MalformedPolicyDocumentException", ANY, {"Policy": "{"}),
            ("ValidationException", ANY, {"Policy": document(), "PolicyName": "other"}),
            **at_key,
        )
        self.assert_refusals(
            RAW.get_key_policy, ("NotFoundException", ANY, at_key | {"PolicyName": "other"})
        )

    def test_aliases(self):
        prefix = (
            "ValidationException",
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
        absent = f"Alias {alias_arn('alias/not-there')} is not found."
        for call, parameters in [
            (RAW.create_alias, {"TargetKeyId": self.key}),
            (RAW.update_alias, {"TargetKeyId": self.key}),
            (RAW.delete_alias, {}),
        ]:
            self.assert_refusals(
                call,
                (*prefix, {"AliasName": "x"}),
                (
                    "ValidationException",
                    "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to "
                    "satisfy constraint: Member must satisfy regular expression pattern: "
                    "^[a-zA-Z0-9:/_-]+$",
                    {"AliasName": "alias/a b"},
                ),
                ("ValidationException", ANY, {"AliasName": "alias/" + "a" * 251}),
                (
                    "ValidationException",
                    "1 validation error detected: Value null at 'aliasName' failed to satisfy "
                    "constraint: Member must not be null",
                    {},
                ),
                ("NotAuthorizedException", ANY, {"AliasName": "alias/aws/mine"}),
                **parameters,
            )
            if call != RAW.create_alias:
                self.assert_refusals(
                    call,
                    ("NotFoundException", absent, {"AliasName": "alias/not-there"}),
                    **parameters,
                )
        self.assert_refusals(
            RAW.create_alias,
            (
                "AlreadyExistsException",
                f"An alias with the name {alias_arn('alias/refuses')} already exists",
                {"AliasName": "alias/refuses"},
            ),
            (
                "NotFoundException",
                f"Key '{key_arn(ABSENT)}' does not exist",
                {"TargetKeyId": ABSENT},
            ),
            (
                "ValidationException",
                "1 validation error detected: Value null at 'targetKeyId' failed to satisfy "
                "constraint: Member must not be null",
                {"TargetKeyId": None},
            ),
            ("ValidationException", ANY, {"TargetKeyId": "alias/refuses"}),
            (
                "KMSInvalidStateException",
                f"{key_arn(self.going)} is pending deletion.",
                {"TargetKeyId": self.going},
            ),
            AliasName="alias/refuses/other",
            TargetKeyId=self.key,
        )
        full = create()
        for index in range(50):
            KMS.create_alias(AliasName=f"alias/refuses/full/{index}", TargetKeyId=full)
        self.assert_refusals(
            RAW.create_alias,
            ("LimitExceededException", ANY, {"TargetKeyId": full}),
            AliasName="alias/refuses/full/50",
        )

    def test_grants(self):
        grantee = f"arn:aws:iam::{ACCOUNT}:user/alice"
        self.assert_refusals(
            RAW.create_grant,
            ("ValidationException", ANY, {"GranteePrincipal": None}),
            (
                "ValidationException",
                "1 validation error detected: Value null at 'operations' failed to satisfy "
                "constraint: Member must not be null",
                {"Operations": None},
            ),
            ("ValidationException", ANY, {"Operations": ["ListKeys"]}),
            ("ValidationException", ANY, {"Operations": ["Sign"]}),
            ("ValidationException", ANY, {"Name": "a b"}),
            ("InvalidGrantTokenException", ANY, {"GrantTokens": ["t"]}),
            ("DisabledException", "? is disabled.", {"KeyId": self.disabled}),
            ("KMSInvalidStateException", "? is pending deletion.", {"KeyId": self.going}),
            ("KMSInvalidStateException", "? is pending import.", {"KeyId": self.waiting}),
            (
                "ValidationException",
                ANY,
                {
                    "Constraints": {
                        "EncryptionContextEquals": {str(index): "x" for index in range(9)}
                    }
                },
            ),
            KeyId=self.key,
            GranteePrincipal=grantee,
            Operations=["Decrypt"],
        )
        for call in [RAW.revoke_grant, RAW.retire_grant]:
            self.assert_refusals(
                call,
                ("NotFoundException", ANY, {"GrantId": "0" * 64}),
                ("InvalidGrantIdException", ANY, {"GrantId": "no-grant-id"}),
                KeyId=self.key,
            )
        self.assert_refusals(
            RAW.retire_grant,
            ("InvalidGrantTokenException", ANY, {"GrantToken": "t"}),
            ("ValidationException", ANY, {"KeyId": self.key}),
            ("ValidationException", ANY, {}),
        )
        self.assert_refusals(
            RAW.list_grants,
            ("InvalidGrantIdException", ANY, {"KeyId": self.key, "GrantId": "no-grant-id"}),
        )

    def test_managed_keys(self):
        managed = KMS.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
        self.assertEqual(managed["KeyManager"], "AWS")
        at_key = {"KeyId": managed["KeyId"]}
        denied = "AccessDeniedException"
        self.assert_refusals(RAW.encrypt, (denied, ANY, at_key | {"Plaintext": b"x"}))
        self.assert_refusals(
            RAW.generate_data_key_without_plaintext,
            (
                denied,
                "User: arn:aws:iam::111122223333:user/demo is not authorized to perform: "
                "kms:GenerateDataKeyWithoutPlaintext on resource: ? because no resource-based "
                "policy allows the kms:GenerateDataKeyWithoutPlaintext action",
                at_key | {"KeySpec": "AES_256"},
            ),
        )
        for call in [RAW.disable_key, RAW.schedule_key_deletion, RAW.rotate_key_on_demand]:
            self.assert_refusals(call, (denied, ANY, at_key))
        self.assertTrue(KMS.get_key_rotation_status(**at_key)["KeyRotationEnabled"])
        # To describe a predefined alias makes its key.
        aliases = KMS.get_paginator("list_aliases").paginate().search("Aliases[]")
        before = {entry["AliasName"]: entry.get("TargetKeyId") for entry in aliases}
        self.assertIsNone(before["alias/aws/rds"])
        made = KMS.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
        again = KMS.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
        self.assertEqual((made["KeyManager"], again["KeyId"]), ("AWS", made["KeyId"]))
        self.assert_refusals(
            RAW.describe_key,
            (
                "NotFoundException",
                f"Alias {alias_arn('alias/aws/nothing')} is not found.",
                {"KeyId": "alias/aws/nothing"},
            ),
        )

    def test_limits_and_markers(self):
        too_many = (
            "Value '1001' at 'limit' failed to satisfy constraint: Member must have value less "
            "than or equal to 1000"
        )
        too_few = (
            "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater "
            "than or equal to 1"
        )
        for call, parameters in [
            (RAW.list_keys, {}),
            (RAW.list_aliases, {}),
            (RAW.list_grants, {"KeyId": self.key}),
            (RAW.list_resource_tags, {"KeyId": self.key}),
            (RAW.list_key_policies, {"KeyId": self.key}),
            (RAW.list_key_rotations, {"KeyId": self.key}),
            (RAW.describe_custom_key_stores, {}),
        ]:
            self.assert_violations(
                call, (too_few, {"Limit": 0}), (too_many, {"Limit": 1001}), **parameters
            )
            self.assert_refusals(
                call,
                ("ValidationException", ANY, {"Marker": "m" * 1025}),
                ("ValidationException", ANY, {"Marker": "🔑"}),
                **parameters,
            )
            if call != RAW.list_key_policies:
                self.assert_refusals(
                    call, ("InvalidMarkerException", ANY, {"Marker": "made-up"}), **parameters
                )

    def test_types(self):
        self.assert_refusals(
            RAW.generate_data_key,
            ("SerializationException", ANY, {"KeyId": 5}),
            ("SerializationException", ANY, {"NumberOfBytes": "many"}),
            ("SerializationException", ANY, {"GrantTokens": [1]}),
            ("SerializationException", ANY, {"EncryptionContext": {"a": ["b"]}}),
            ("SerializationException", ANY, {"DryRun": "yes"}),
            KeyId=self.key,
        )
        # A number in a context is the text that it is written with.
        blob = RAW.encrypt(KeyId=self.key, Plaintext=b"x", EncryptionContext={"a": 1})
        opened = RAW.decrypt(
            CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"a": "1"}
        )
        self.assertEqual(opened["Plaintext"], b"x")

    def send(self, target="TrentService.ListKeys", body=b"{}", scope="us-east-1/kms", **headers):
        """The status, headers and JSON of an answer to a request that no SDK would send."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKID/20260101/{scope}/aws4_request, "
            "SignedHeaders=host, Signature=00",
        } | headers
        headers = {name: value for name, value in headers.items() if value is not None}
        request = urllib.request.Request(SERVED.endpoint, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=peer.DEADLINE) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.status, error.headers, json.load(error)

    def test_requests_that_no_sdk_sends(self):
        status, headers, body = self.send(body=b'{"Unknown": [1]}')
        self.assertEqual(status, 200)
        self.assertLessEqual({"Keys", "Truncated"}, set(body))
        self.assertEqual(headers["Content-Type"], "application/x-amz-json-1.1")
        self.assertRegex(headers["x-amzn-RequestId"], "^[0-9a-f-]{36}$")
        deep = b'{"a":' * 64 + b"1" + b"}" * 64
        self.assertEqual(self.send(body=deep)[0], 200)
        for code, asked in [
            ("UnknownOperationException", {"target": "TrentService.NoSuchOperation"}),
            ("UnknownOperationException", {"target": "OtherService.ListKeys"}),
            ("UnsupportedOperationException", {"target": "TrentService.Sign"}),
            ("SerializationException", {"body": b"{"}),
            ("SerializationException", {"body": b"[]"}),
            ("SerializationException", {"body": b'{"a":' * 10_000}),
            ("SerializationException", {"body": b'{"Limit": "many"}'}),
            ("MissingAuthenticationTokenException", {"Authorization": None}),
            ("InvalidSignatureException", {"scope": "us-east-1/s3"}),
            ("IncompleteSignatureException", {"Authorization": "Bearer of-what"}),
        ]:
            with self.subTest(code=code, asked=str(asked)[:100]):
                status, headers, body = self.send(**asked)
                self.assertEqual((status, body["__type"]), (400, code))
                self.assertEqual(headers["Content-Type"], "application/x-amz-json-1.1")
                self.assertRegex(headers["x-amzn-RequestId"], "^[0-9a-f-]{36}$")


class States(ServeTest):
    """KMS Developer Guide: Key states of AWS KMS keys. Where the service was measured to answer
    otherwise, it is as measured; where sources differ, nothing is asked.
    """

    COLUMNS = "E D PD PRD PI UN CR UP".split()
    # One server for the whole table: the keyring has keys in states that no client can bring about.
    HELD = {
        "PRD": "alias/backups/legacy/databases",
        "UN": "alias/people/prod/files",
        "CR": "alias/legal/prod/contracts-2027",
        "UP": "alias/shop/prod/sessions",
    }
    ANSWERS = {
        "1": ("DisabledException", "{} is disabled."),
        "3": ("KMSInvalidStateException", "{} is pending deletion."),
        "4": ("KMSInvalidStateException", "{} is not pending deletion."),
        "5": ("KMSInvalidStateException", "{} is pending import."),
        "6": (
            "UnsupportedOperationException",
            "{} origin is EXTERNAL which is not valid for this operation.",
        ),
        "7": ("UnsupportedOperationException", ""),
        "11": ("KMSInvalidStateException", "{} is unavailable."),
        "14": ("KMSInvalidStateException", "{} is creating."),
        "15": ("KMSInvalidStateException", "{} is updating."),
    }
    ROWS = """
                                          E  D  PD PRD PI UN CR UP
        DescribeKey                       +  +  +  +   +  +  +  +
        GetKeyPolicy                      +  +  +  +   +  +  +  +
        PutKeyPolicy                      +  +  +  +   +  +  +  +
        ListKeyPolicies                   +  +  +  +   +  +  +  +
        ListAliases                       +  +  +  +   +  +  +  +
        ListGrants                        +  +  +  +   +  +  +  +
        ListResourceTags                  +  +  +  +   +  +  +  +
        GetKeyLastUsage                   +  +  +  +   +  +  +  +
        GetKeyRotationStatus              +  +  +  +   .  7  .  .
        GenerateDataKeyWithoutPlaintext   +  1  3  3   5  11 14 +
        GenerateDataKey                   +  1  3  3   5  11 14 +
        GenerateDataKeyPair               +  1  3  3   5  11 14 +
        GenerateDataKeyPairWithoutPlaintext  +  1  3  3   5  11 14 +
        Encrypt                           +  1  3  3   5  11 14 +
        Decrypt                           +  1  3  3   5  11 14 +
        ReEncrypt                         +  1  3  3   5  11 14 +
        GetPublicKey                      +  +  3  .   5  .  14 .
        EnableKeyRotation                 +  1  3  3   6  7  14 .
        DisableKeyRotation                +  1  3  3   6  7  14 .
        RotateKeyOnDemand                 +  1  3  3   5  .  .  .
        CreateAlias                       +  +  3  3   +  +  +  +
        UpdateAlias                       +  +  3  3   +  +  +  +
        DeleteAlias                       +  +  +  +   +  +  +  +
        TagResource                       +  +  3  3   +  +  +  +
        UntagResource                     +  +  3  3   +  +  +  +
        UpdateKeyDescription              +  +  3  3   +  +  +  +
        CreateGrant                       +  1  3  3   5  +  14 +
        RevokeGrant                       +  +  +  .   .  +  .  +
        RetireGrant                       +  +  +  .   .  +  .  +
        EnableKey                         +  +  3  3   5  +  14 15
        DisableKey                        +  +  3  3   5  +  14 15
        ScheduleKeyDeletion               +  +  3  3   +  +  +  15
        CancelKeyDeletion                 4  4  +  +   4  .  .  4
    """
    # An aim that leaves the key as it is, so that the keyring's keys serve for many rows.
    PAIR = {"KeyPairSpec": "ECC_NIST_P256"}
    GRANT = {
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/alice",
        "Operations": ["DescribeKey"],
    }
    IGNORED = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    PARAMETERS = {
        "PutKeyPolicy": {"Policy": document()},
        "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
        "GenerateDataKey": {"KeySpec": "AES_256"},
        "GenerateDataKeyPair": PAIR,
        "GenerateDataKeyPairWithoutPlaintext": PAIR,
        "Encrypt": {"Plaintext": b"x"},
        "Decrypt": IGNORED,
        "ReEncrypt": IGNORED,
        "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
        "UntagResource": {"TagKeys": ["a"]},
        "UpdateKeyDescription": {"Description": "d"},
        "CreateGrant": GRANT,
    }

    def key_in(self, column, operation):
        """The id of a key in that state, and more parameters for the operation."""
        more = {}
        kind = {}
        if operation == "GetPublicKey" and column != "CR":
            kind = {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}
        if column == "PI":
            kind["Origin"] = "EXTERNAL"
        if column in self.HELD:
            # Their aliases may be gone.
            key_id = self.held[column]
        else:
            key_id = create(self.kms, **kind)
        if operation in ["RevokeGrant", "RetireGrant"]:
            grant = self.kms.create_grant(KeyId=key_id, **self.GRANT)
            more = {"GrantId": grant["GrantId"]}
        if operation == "DeleteAlias":
            more = {"AliasName": self.HELD.get(column, f"alias/states/{column}")}
            if column not in self.HELD:
                self.kms.create_alias(TargetKeyId=key_id, **more)
        if operation in ["CreateAlias", "UpdateAlias"]:
            more = {"AliasName": f"alias/states/{operation}/{column}", "TargetKeyId": key_id}
        if operation == "UpdateAlias":
            self.kms.create_alias(AliasName=more["AliasName"], TargetKeyId=self.symmetric)
        if column == "D":
            self.kms.disable_key(KeyId=key_id)
        if column == "PD":
            self.kms.schedule_key_deletion(KeyId=key_id)
        return key_id, more

    def test_every_operation_in_every_state(self):
        header, *rows = (line.split() for line in self.ROWS.strip().splitlines())
        self.assertEqual(header, self.COLUMNS)
        with Served() as served:
            self.kms = served.client()
            self.symmetric = create(self.kms)
            self.held = {
                column: self.kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
                for column, alias in self.HELD.items()
            }
            asked = 0
            for operation, *cells in rows:
                for column, cell in zip(self.COLUMNS, cells, strict=True):
                    if cell != ".":
                        asked += 1
                        with self.subTest(operation=operation, state=column, cell=cell):
                            self.check(operation, column, cell)
            self.assertGreater(asked, 220)

    def check(self, operation, column, cell):
        key_id, more = self.key_in(column, operation)
        parameters = self.PARAMETERS.get(operation, {}) | more
        if operation == "ReEncrypt":
            parameters |= {"SourceKeyId": key_id, "DestinationKeyId": key_id}
        elif not operation.endswith("Alias"):
            parameters |= {"KeyId": key_id}
        call = getattr(self.kms, botocore.xform_name(operation))
        if cell != "+":
            code, message = self.ANSWERS[cell]
            self.assert_error(code, message.format(key_arn(key_id)), call, **parameters)
            return
        try:
            answer = call(**parameters)
        except self.kms.exceptions.DryRunOperationException:
            return
        if operation == "GetKeyRotationStatus":
            self.assertFalse(answer["KeyRotationEnabled"])
        if operation == "CancelKeyDeletion":
            described = self.kms.describe_key(KeyId=key_id)["KeyMetadata"]
            self.assertEqual(described["KeyState"], "Disabled")

    def test_rotation_is_off_until_the_deletion_is_cancelled(self):
        key_id = create()
        KMS.enable_key_rotation(KeyId=key_id)
        KMS.schedule_key_deletion(KeyId=key_id)
        status = KMS.get_key_rotation_status(KeyId=key_id)
        self.assertEqual(status["KeyRotationEnabled"], False)
        KMS.cancel_key_deletion(KeyId=key_id)
        status = KMS.get_key_rotation_status(KeyId=key_id)
        self.assertEqual(status["KeyRotationEnabled"], True)

    def test_what_leaves_the_states(self):
        waiting = create(Origin="EXTERNAL")
        KMS.schedule_key_deletion(KeyId=waiting)
        self.assertEqual(self.state(waiting), "PendingDeletion")
        KMS.cancel_key_deletion(KeyId=waiting)
        self.assertEqual(self.state(waiting), "PendingImport")
        key_id = create()
        blob = KMS.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
        KMS.schedule_key_deletion(KeyId=key_id)
        pending = ("KMSInvalidStateException", f"{key_arn(key_id)} is pending deletion.")
        self.assert_error(*pending, KMS.decrypt, CiphertextBlob=blob)
        KMS.cancel_key_deletion(KeyId=key_id)
        disabled = ("DisabledException", f"{key_arn(key_id)} is disabled.")
        self.assert_error(*disabled, KMS.decrypt, CiphertextBlob=blob)
        KMS.enable_key(KeyId=key_id)
        self.assertEqual(KMS.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")


class Pages(ServeTest):
    def pages(self, operation, size, **parameters):
        """The pages that boto3's paginator gets."""
        paginator = KMS.get_paginator(operation)
        return list(paginator.paginate(PaginationConfig={"PageSize": size}, **parameters))

    def assert_pages(self, operation, member, size, expected, **parameters):
        """All pages but the last are full, and together they have what is expected, once."""
        pages = [page[member] for page in self.pages(operation, size, **parameters)]
        self.assertTrue(all(len(page) == size for page in pages[:-1]), [len(p) for p in pages])
        self.assertLessEqual(len(pages[-1]), size)
        self.assertCountEqual([item for page in pages for item in page], expected)
        self.assertEqual(len(pages), max(1, -(-len(expected) // size)))

    def assert_sizes(self, call, member, default, most, **parameters):
        """A page where nothing is said, and where more is asked for than there may be."""
        page = call(**parameters)
        self.assertEqual(len(page[member]), default)
        self.assertTrue(page["Truncated"])
        self.assertEqual(len(call(Limit=1000, **parameters)[member]), most)

    def assert_markers(self, call, *others, **parameters):
        """A marker is good for its own listing, as it was given."""
        page = call(Limit=1, **parameters)
        marker = page["NextMarker"]
        after = call(Limit=1, Marker=marker, **parameters)
        self.assertNotEqual(members(after), members(page))
        invalid = ("InvalidMarkerException", ANY)
        flipped = ("B" if marker[0] == "A" else "A") + marker[1:]
        for changed in [flipped, marker[:-4], marker + "AAAA", marker.swapcase()]:
            self.assert_error(*invalid, call, Limit=1, Marker=changed, **parameters)
        for other, changed in others:
            self.assert_error(*invalid, other, Marker=marker, **changed)

    def test_keys(self):
        made = [create() for _ in range(101)]
        listed = KMS.list_keys(Limit=1000)
        self.assertFalse(listed["Truncated"])
        self.assertNotIn("NextMarker", listed)
        every = listed["Keys"]
        self.assertLessEqual(set(made), {key["KeyId"] for key in every})
        for key in every:
            self.assertEqual(key, {"KeyId": key["KeyId"], "KeyArn": key_arn(key["KeyId"])})
        for size in [7, 100, len(every)]:
            self.assert_pages("list_keys", "Keys", size, every)
        self.assertEqual(len(KMS.list_keys()["Keys"]), 100)
        elsewhere = SERVED.client("eu-west-1")
        self.assert_markers(KMS.list_keys, (KMS.list_aliases, {}), (elsewhere.list_keys, {}))

    def test_aliases(self):
        keys = [create() for _ in range(2)]
        for key_id in keys:
            for index in range(50):
                KMS.create_alias(AliasName=f"alias/pages/{key_id}/{index}", TargetKeyId=key_id)
        every = [alias for page in self.pages("list_aliases", 100) for alias in page["Aliases"]]
        names = [alias["AliasName"] for alias in every]
        self.assertEqual(len(set(names)), len(names))
        self.assertGreater(len(names), 150)
        self.assert_pages("list_aliases", "Aliases", 33, every)
        of_key = [alias for alias in every if alias.get("TargetKeyId") == keys[0]]
        self.assertEqual(len(of_key), 50)
        for size in [3, 25, 50]:
            self.assert_pages("list_aliases", "Aliases", size, of_key, KeyId=keys[0])
        self.assert_sizes(KMS.list_aliases, "Aliases", 50, 100)
        self.assert_markers(
            KMS.list_aliases,
            (KMS.list_aliases, {}),
            (KMS.list_aliases, {"KeyId": keys[1]}),
            KeyId=keys[0],
        )

    def test_grants(self):
        key_id, other = create(), create()
        alice, bob = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ["alice", "bob"])
        grant = {"KeyId": key_id, "Operations": ["DescribeKey"]}
        ids = [
            KMS.create_grant(GranteePrincipal=bob if index % 20 == 0 else alice, **grant)["GrantId"]
            for index in range(101)
        ]
        pages = self.pages("list_grants", 100, KeyId=key_id)
        every = [grant for page in pages for grant in page["Grants"]]
        self.assertCountEqual([grant["GrantId"] for grant in every], ids)
        self.assert_pages("list_grants", "Grants", 30, every, KeyId=key_id)
        of_bob = [grant for grant in every if grant["GranteePrincipal"] == bob]
        self.assertEqual(len(of_bob), 6)
        filtered = {"KeyId": key_id, "GranteePrincipal": bob}
        self.assert_pages("list_grants", "Grants", 2, of_bob, **filtered)
        self.assert_sizes(KMS.list_grants, "Grants", 50, 100, KeyId=key_id)
        self.assert_markers(
            KMS.list_grants,
            (KMS.list_grants, {"KeyId": other}),
            (KMS.list_grants, filtered),
            KeyId=key_id,
        )

    def test_tags(self):
        tags = [{"TagKey": f"key {index}", "TagValue": f"é{index}"} for index in range(50)]
        key_id = create(Tags=tags)
        for size in [1, 7, 50]:
            self.assert_pages("list_resource_tags", "Tags", size, tags, KeyId=key_id)
        self.assertEqual(len(KMS.list_resource_tags(KeyId=key_id)["Tags"]), 50)
        self.assert_error(
            "TagException",
            "Too many tags",
            KMS.tag_resource,
            KeyId=key_id,
            Tags=[{"TagKey": "one more", "TagValue": ""}],
        )
        self.assert_markers(
            KMS.list_resource_tags,
            (KMS.list_resource_tags, {"KeyId": create()}),
            (KMS.list_grants, {"KeyId": key_id}),
            KeyId=key_id,
        )

    def test_policies(self):
        key_id = create()
        for size in [1, 1000]:
            self.assert_pages("list_key_policies", "PolicyNames", size, ["default"], KeyId=key_id)

    def test_rotations(self):
        key_id = create()
        for _ in range(5):
            KMS.rotate_key_on_demand(KeyId=key_id)
        for which, count in [({}, 5), ({"IncludeKeyMaterial": "ALL_KEY_MATERIAL"}, 6)]:
            every = KMS.list_key_rotations(KeyId=key_id, **which)["Rotations"]
            self.assertEqual(len(every), count)
            for size in [1, 2, 6]:
                self.assert_pages(
                    "list_key_rotations", "Rotations", size, every, KeyId=key_id, **which
                )
        materials = [entry["KeyMaterialId"] for entry in every]
        self.assertEqual(len(set(materials)), 6)
        self.assert_markers(
            KMS.list_key_rotations, (KMS.list_key_rotations, {"KeyId": create()}), KeyId=key_id
        )

    def test_custom_key_stores(self):
        every = KMS.describe_custom_key_stores()["CustomKeyStores"]
        self.assertGreater(len(every), 2)
        for size in [1, 2, len(every)]:
            self.assert_pages("describe_custom_key_stores", "CustomKeyStores", size, every)
        self.assert_markers(KMS.describe_custom_key_stores)
        for member in ["CustomKeyStoreId", "CustomKeyStoreName"]:
            for store in every:
                found = KMS.describe_custom_key_stores(**{member: store[member]})
                self.assertEqual(found["CustomKeyStores"], [store])
            self.assert_error(
                "CustomKeyStoreNotFoundException",
                ANY,
                KMS.describe_custom_key_stores,
                **{member: "not there"},
            )


class AwsCli(ServeTest):
    def aws_on_kmx(self, *arguments):
        return self.aws(*arguments, AWS_ENDPOINT_URL_KMS=SERVED.endpoint)

    def told(self, *arguments):
        """What the AWS CLI prints where all is well: JSON, or nothing."""
        outcome = self.aws_on_kmx(*arguments)
        self.assert_code(0, outcome)
        return outcome.json() if outcome.stdout else None

    def test_the_life_of_a_key(self):
        created = self.told(
            "create-key", "--description", "of the CLI", "--tags", "TagKey=Team,TagValue=a"
        )
        key_id, arn = (created["KeyMetadata"][member] for member in ["KeyId", "Arn"])
        alias = ["--alias-name", "alias/cli/life"]
        self.assertIsNone(self.told("create-alias", *alias, "--target-key-id", key_id))
        described = self.told("describe-key", "--key-id", "alias/cli/life")
        self.assertEqual(described, created)
        listed = self.told("list-aliases", "--key-id", arn)
        self.assertEqual([entry["AliasName"] for entry in listed["Aliases"]], [alias[1]])

        context = ["--encryption-context", "a=1,b=2"]
        made = self.told(
            "generate-data-key-without-plaintext",
            *["--key-id", "alias/cli/life", "--key-spec", "AES_256"],
            *context,
        )
        self.assertEqual(set(made), {"CiphertextBlob", "KeyId", "KeyMaterialId"})
        self.assertEqual(made["KeyId"], arn)
        (self.home / "key.bin").write_bytes(base64.b64decode(made["CiphertextBlob"]))
        opened = self.told("decrypt", "--ciphertext-blob", "fileb://key.bin", *context)
        self.assertEqual(len(base64.b64decode(opened["Plaintext"])), 32)

        secret = bytes(range(256))
        (self.home / "secret.bin").write_bytes(secret)
        sealed = self.told("encrypt", "--key-id", arn, "--plaintext", "fileb://secret.bin")
        (self.home / "sealed.bin").write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
        opened = self.told(
            "decrypt", "--ciphertext-blob", "fileb://sealed.bin", "--key-id", "alias/cli/life"
        )
        self.assertEqual(base64.b64decode(opened["Plaintext"]), secret)

        wrong = self.aws_on_kmx("decrypt", "--ciphertext-blob", "fileb://key.bin")
        said = "An error occurred (InvalidCiphertextException) when calling the Decrypt operation: "
        self.assert_refused(255, wrong, f"^\n{re.escape(said)}\n$")
        dry = self.aws_on_kmx(
            "decrypt", "--ciphertext-blob", "fileb://key.bin", *context, "--dry-run"
        )
        self.assert_refused(255, dry, r"\(DryRunOperationException\) when calling the Decrypt op")

        scheduled = self.told(
            "schedule-key-deletion", "--key-id", key_id, "--pending-window-in-days", "7"
        )
        self.assertEqual(scheduled["KeyState"], "PendingDeletion")
        refused = self.aws_on_kmx("encrypt", "--key-id", arn, "--plaintext", "fileb://secret.bin")
        said = (
            "An error occurred (KMSInvalidStateException) when calling the Encrypt operation: "
            f"{arn} is pending deletion."
        )
        self.assert_refused(255, refused, f"^\n{re.escape(said)}\n$")
        self.assertEqual(self.told("cancel-key-deletion", "--key-id", key_id), {"KeyId": arn})
        self.assertIsNone(self.told("delete-alias", *alias))

    def test_lists_page_by_page_and_in_part(self):
        every = self.told("list-keys", "--page-size", "9")["Keys"]
        keys = KMS.list_keys(Limit=1000)["Keys"]
        self.assertEqual(every, keys)
        some = self.aws(
            "list-keys", "--max-items", "3", "--endpoint-url", SERVED.endpoint
        ).json()
        self.assertEqual(some["Keys"], keys[:3])
        rest = self.told("list-keys", "--starting-token", some["NextToken"])
        self.assertEqual(rest["Keys"], keys[3:])


class EncryptionSdk(ServeTest):
    """Messages of the AWS Encryption SDK, whose data keys are under keys of `kmx serve`."""

    CONTEXT = {"purpose": "test", "é": "🔑"}
    MESSAGE = b"a message" * 1000

    @classmethod
    def setUpClass(cls):
        cls.sdk = aws_encryption_sdk.EncryptionSDKClient()
        cls.providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
        cls.key, cls.other = (key_arn(create()) for _ in range(2))

    def keyring(self, arn):
        return self.providers.create_aws_kms_keyring(
            input=CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=KMS)
        )

    def rsa_keyring(self, arn, public_key=None):
        return self.providers.create_aws_kms_rsa_keyring(
            input=CreateAwsKmsRsaKeyringInput(
                kms_key_id=arn,
                encryption_algorithm="RSAES_OAEP_SHA_256",
                kms_client=KMS,
                public_key=public_key,
            )
        )

    def encrypt(self, **materials):
        message, _ = self.sdk.encrypt(
            source=self.MESSAGE, encryption_context=self.CONTEXT, **materials
        )
        return message

    def assert_opens(self, message, **materials):
        plaintext, header = self.sdk.decrypt(source=message, **materials)
        self.assertEqual(plaintext, self.MESSAGE)
        self.assertLessEqual(self.CONTEXT.items(), header.encryption_context.items())

    def assert_shut(self, message, **materials):
        # What goes wrong while it cleans up, it logs.
        with (
            self.assertLogs("aws_encryption_sdk"),
            self.assertRaises(aws_encryption_sdk.exceptions.AWSEncryptionSDKClientError),
        ):
            self.sdk.decrypt(source=message, **materials)

    def test_under_a_keyring(self):
        message = self.encrypt(keyring=self.keyring(self.key))
        self.assertNotIn(b"a message", message)
        self.assert_opens(
            message, keyring=self.keyring(self.key), encryption_context=self.CONTEXT
        )
        self.assert_shut(message, keyring=self.keyring(self.other))
        self.assert_shut(
            message,
            keyring=self.keyring(self.key),
            encryption_context=self.CONTEXT | {"purpose": "another"},
        )
        usage = KMS.get_key_last_usage(KeyId=self.key)["KeyLastUsage"]
        self.assertEqual(usage["Operation"], "Decrypt")

    def test_under_two_keyrings_at_once(self):
        both = self.providers.create_multi_keyring(
            input=CreateMultiKeyringInput(
                generator=self.keyring(self.key), child_keyrings=[self.keyring(self.other)]
            )
        )
        message = self.encrypt(keyring=both)
        for arn in [self.key, self.other]:
            self.assert_opens(message, keyring=self.keyring(arn))

    def test_an_alias_encrypts_and_a_keyring_that_knows_no_key_opens(self):
        KMS.create_alias(AliasName="alias/encryption-sdk", TargetKeyId=self.key)
        message = self.encrypt(keyring=self.keyring(alias_arn("alias/encryption-sdk")))
        discovers = self.providers.create_aws_kms_discovery_keyring(
            input=CreateAwsKmsDiscoveryKeyringInput(kms_client=KMS)
        )
        self.assert_opens(message, keyring=discovers)

    def test_under_an_rsa_keyring(self):
        arn = key_arn(create_rsa())
        der = KMS.get_public_key(KeyId=arn)["PublicKey"]
        pem = serialization.load_der_public_key(der).public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        # KMS is not asked to encrypt, so the suite has to be one without a signature.
        message, _ = self.sdk.encrypt(
            source=self.MESSAGE,
            encryption_context=self.CONTEXT,
            keyring=self.rsa_keyring(arn, pem),
            algorithm=AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
        )
        self.assert_opens(message, keyring=self.rsa_keyring(arn, pem))

    def test_under_a_master_key_provider(self):
        def provider(arn):
            return aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(
                key_ids=[arn], botocore_session=session
            )

        session = botocore.session.Session()
        session.set_credentials("AKIDBOTO", "secret")
        # It makes clients of its own, which find the server as every client does.
        found = {"AWS_ENDPOINT_URL_KMS": SERVED.endpoint, "AWS_MAX_ATTEMPTS": "1"}
        with unittest.mock.patch.dict("os.environ", found):
            message = self.encrypt(key_provider=provider(self.key))
            self.assert_opens(message, key_provider=provider(self.key))
            # The two kinds of materials understand one another.
            self.assert_opens(message, keyring=self.keyring(self.key))
            self.assert_shut(message, key_provider=provider(self.other))


class Kmx(ServeTest):
    """kmx itself as a client."""

    def kmx_on_kmx(self, *arguments):
        return self.kmx(*arguments, AWS_ENDPOINT_URL_KMS=SERVED.endpoint)

    def test_the_list_is_what_boto3_sees(self):
        outcome = self.kmx_on_kmx("list", "--output", "json")
        self.assert_code(0, outcome)
        rows = {row["KeyId"]: row for row in outcome.json()["Keys"]}
        keys = KMS.list_keys(Limit=1000)["Keys"]
        self.assertEqual(set(rows), {key["KeyId"] for key in keys})
        aliases = list(KMS.get_paginator("list_aliases").paginate().search("Aliases[]"))
        for key_id, row in rows.items():
            metadata = KMS.describe_key(KeyId=key_id)["KeyMetadata"]
            self.assertEqual(row["KeyArn"], metadata["Arn"])
            for member in ["KeyState", "KeySpec", "KeyUsage", "KeyManager", "Origin"]:
                self.assertEqual(row[member], metadata[member])
            names = [
                alias["AliasName"] for alias in aliases if alias.get("TargetKeyId") == key_id
            ]
            self.assertCountEqual(row["Aliases"], names)

    def test_boto3_opens_what_it_makes(self):
        key_id = create()
        KMS.create_alias(AliasName="alias/kmx/makes", TargetKeyId=key_id)
        for command in ["generate", "generate-data-key-without-plaintext"]:
            for identifier in [key_id, key_arn(key_id), "alias/kmx/makes"]:
                outcome = self.kmx_on_kmx(
                    command,
                    *["--key-id", identifier, "--number-of-bytes", "24"],
                    *["--encryption-context", '{"a b": "é🔑", "c": "d"}', "--output", "json"],
                )
                self.assert_code(0, outcome)
                made = outcome.json()
                self.assertEqual(made["KeyId"], key_arn(key_id))
                opened = KMS.decrypt(
                    CiphertextBlob=base64.b64decode(made["CiphertextBlob"], validate=True),
                    EncryptionContext={"c": "d", "a b": "é🔑"},
                )
                self.assertEqual(len(opened["Plaintext"]), 24)
                self.assertEqual(opened["KeyMaterialId"], made["KeyMaterialId"])

    def test_what_is_refused_reads_as_in_the_aws_cli(self):
        disabled, signing = create(), create_rsa("SIGN_VERIFY")
        KMS.disable_key(KeyId=disabled)
        key_id = create()
        for asked in [
            ["--key-id", disabled],
            ["--key-id", signing],
            ["--key-id", "alias/not-there"],
            ["--key-id", key_id, "--encryption-context", "a="],
            ["--key-id", key_id, "--grant-tokens", "t"],
        ]:
            arguments = [
                "generate-data-key-without-plaintext",
                "--key-spec",
                "AES_256",
                *asked,
            ]
            with self.subTest(asked=asked):
                theirs = self.aws(*arguments, AWS_ENDPOINT_URL_KMS=SERVED.endpoint)
                self.assert_refused(255, theirs, "^\nAn error occurred ")
                ours = self.kmx_on_kmx(*arguments)
                self.assert_refused(254, ours, re.escape(theirs.stderr.strip()))


def main():
    global SERVED, KMS, RAW
    peer.read_options()
    # So that no server outlives its tests.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Served() as SERVED:
        KMS = SERVED.client()
        RAW = SERVED.client(validates=False)
        return peer.run(sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
