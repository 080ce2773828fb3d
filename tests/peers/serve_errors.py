"""What `kmx serve` refuses, as boto3 hears it: every error that a client can cause, and every
operation on keys in every state.

The measure is the service: codes and messages are those of the service, as they are documented or
were recorded. Where its words are not known, the tests ask for the code alone (`ANY`); where not even
the code is, for nothing.

Started by run.sh.
"""

import json
import sys
import urllib.error
import urllib.request

import botocore

import peer
import served
from served import (
    ABSENT,
    ACCOUNT,
    ANY,
    Served,
    ServeTest,
    alias_arn,
    create,
    create_rsa,
    document,
    key_arn,
)

# The server that the tests share, a client of it, and one that lets every parameter pass.
SERVED = None
KMS = None
RAW = None


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

    NULL_KEY_ID = "Value null at 'keyId' failed to satisfy constraint: Member must not be null"

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
                "AccessDeniedException",
                ANY,
                f"arn:aws:kms:us-east-1:444455556666:key/{ABSENT}",
            ),
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
                    RAW.enable_key: {},
                    RAW.disable_key: {},
                    RAW.schedule_key_deletion: {},
                    RAW.cancel_key_deletion: {},
                    RAW.update_key_description: {"Description": ""},
                },
                alias,
            ),
            # What they say to an alias is not known.
            ({RAW.list_key_rotations: {}, RAW.get_key_last_usage: {}}, []),
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
                ("InvalidGrantTokenException", ANY, {"GrantTokens": ["t"]}),
                ("NotFoundException", f"Key '{key_arn(ABSENT)}' does not exist", {key_id: ABSENT}),
                (
                    "NotFoundException",
                    f"Alias {alias_arn('alias/x')} is not found.",
                    {key_id: "alias/x"},
                ),
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
            (
                "ValidationException",
                "1 validation error detected: Value '366' at 'pendingWindowInDays' failed to "
                "satisfy constraint: Member must have value less than or equal to 365",
                at_key | {"PendingWindowInDays": 366},
            ),
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
                ANY,
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
            ("ValidationException", ANY, {"Policy": "\N{KEY}"}),
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
            ("NotFoundException", "Invalid keyId 'x'", {"TargetKeyId": "x"}),
            ("InvalidAliasNameException", ANY, {"AliasName": "alias/a:b"}),
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
        opened = RAW.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"a": "1"})
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

    def test_every_operation_is_here_or_says_that_it_is_not(self):
        absent = {
            operation
            for operation in KMS.meta.service_model.operation_names
            if self.send(f"TrentService.{operation}")[2].get("__type")
            == "UnsupportedOperationException"
        }
        self.assertEqual(
            absent,
            {
                "ConnectCustomKeyStore",
                "CreateCustomKeyStore",
                "DeleteCustomKeyStore",
                "DeleteImportedKeyMaterial",
                "DeriveSharedSecret",
                "DisconnectCustomKeyStore",
                "GenerateMac",
                "GetParametersForImport",
                "ImportKeyMaterial",
                "ListRetirableGrants",
                "ReplicateKey",
                "Sign",
                "UpdateCustomKeyStore",
                "UpdatePrimaryRegion",
                "Verify",
                "VerifyMac",
            },
        )

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
    # What an operation has beside the key; it leaves the key as it was, where it can.
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


def main():
    global SERVED, KMS, RAW
    peer.read_options()
    with served.shared() as SERVED:
        KMS = served.KMS
        RAW = SERVED.client(validates=False)
        return peer.run(sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
