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

import boto3
import botocore.config
import botocore.exceptions
import peer
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
    """What a client can cause, with the service's words."""


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
