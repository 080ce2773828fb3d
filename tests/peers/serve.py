"""`kmx serve` as a KMS, before clients that this project did not write: boto3, the AWS CLI, and the
AWS Encryption SDK with its keyrings; and `kmx` itself as a client beside them. What they are refused
is in serve_errors.py.

The measure is the service: members of answers are those of the service, as they are documented or
were recorded.

Started by run.sh.
"""

import base64
import concurrent.futures
import datetime
import json
import re
import sys
import unittest.mock

import aws_encryption_sdk
import botocore.exceptions
import botocore.session
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

import peer
import served
from peer import REGION
from served import (
    ACCOUNT,
    ANY,
    Served,
    ServeTest,
    alias_arn,
    create,
    create_rsa,
    document,
    key_arn,
    members,
)

DAY = datetime.timedelta(days=1)

# The server that the tests share, and a client of it.
SERVED = None
KMS = None


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
        going = KMS.describe_key(KeyId="alias/backups/legacy/databases")["KeyMetadata"]
        self.assertEqual(going["KeyState"], "PendingReplicaDeletion")
        self.assertIn("PendingDeletionWindowInDays", going)
        self.assertNotIn("DeletionDate", going)
        mac = KMS.describe_key(KeyId="alias/payments/prod/terminal-mac")["KeyMetadata"]
        self.assertEqual(mac["MacAlgorithms"], ["HMAC_SHA_256"])
        self.assertNotIn("EncryptionAlgorithms", mac)
        self.assertNotIn("CurrentKeyMaterialId", mac)
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
        self.assertEqual(members(KMS.revoke_grant(KeyId=key_id, GrantId=others[1]["GrantId"])), {})
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
            self.assert_error(*silent, KMS.decrypt, CiphertextBlob=blob, EncryptionContext=context)
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

    def test_many_at_once(self):
        key_id = create()

        def make(index):
            context = {"index": str(index)}
            made = KMS.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext=context)
            opened = KMS.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
            return made["Plaintext"], opened["Plaintext"]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            pairs = list(pool.map(make, range(200)))
        self.assertTrue(all(made == opened for made, opened in pairs))
        self.assertEqual(len(set(pairs)), 200)

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
        self.assert_dry_run(KMS.decrypt, KeyId=key_id, DryRunModifiers=["IGNORE_CIPHERTEXT"])
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
            ANY,
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
        some = self.aws("list-keys", "--max-items", "3", "--endpoint-url", SERVED.endpoint).json()
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
        self.assert_opens(message, keyring=self.keyring(self.key), encryption_context=self.CONTEXT)
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
            names = [alias["AliasName"] for alias in aliases if alias.get("TargetKeyId") == key_id]
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
    global SERVED, KMS
    peer.read_options()
    with served.shared() as SERVED:
        KMS = served.KMS
        return peer.run(sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
