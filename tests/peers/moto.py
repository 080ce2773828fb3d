"""The real binary against moto, beside boto3 and the AWS CLI.

Two questions are asked. Does what kmx makes open for somebody else, and does kmx see what is
there: boto3 sets up keys in moto, and decrypts what kmx printed. Does a script that runs
`aws kms …` get the same from kmx: both run with the same arguments, and what they send and
print is compared.

moto is no judge of the service's rules: it lets nearly everything pass. Nothing here relies on
what it refuses, apart from names that do not exist and a context that is not the right one.

Started by run.sh.
"""

import base64
import contextlib
import datetime
import http.server
import ipaddress
import json
import re
import socket
import ssl
import sys
import threading

import boto3
import botocore.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import peer
from peer import OPTIONS, REGION

COMMAND = "generate-data-key-without-plaintext"
OPERATION = "GenerateDataKeyWithoutPlaintext"
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/12345678-90ab-cdef-1234-567890abcdef"
KMS = None


class Catalog:
    """The keys that moto holds, made once."""

    def __init__(self):
        self.aliases = {}
        self.ids = {}
        plain = dict.fromkeys(
            ["orders", "billing", "spare-1", "spare-2", "spare-3", "disabled", "going"], {}
        )
        kinds = plain | {
            "rsa": {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "RSA_2048"},
            "signing": {"KeyUsage": "SIGN_VERIFY", "KeySpec": "ECC_NIST_P256"},
            "mac": {"KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256"},
            "hostile": {"Description": "plain \x1b[31mred\x1b[0m \u202egnp.exe\u202c é"},
        }
        for name, kind in kinds.items():
            arguments = {"Description": f"the {name} key"} | kind
            key_id = KMS.create_key(**arguments)["KeyMetadata"]["KeyId"]
            self.ids[name] = key_id
            self.aliases[key_id] = [f"alias/peer/{name}/{index}" for index in range(10)]
            for alias in self.aliases[key_id]:
                KMS.create_alias(AliasName=alias, TargetKeyId=key_id)
        bare = KMS.create_key(Description="no alias")["KeyMetadata"]["KeyId"]
        self.ids["bare"] = bare
        self.aliases[bare] = []
        KMS.disable_key(KeyId=self.ids["disabled"])
        KMS.schedule_key_deletion(KeyId=self.ids["going"], PendingWindowInDays=7)

    def metadata(self, name):
        return KMS.describe_key(KeyId=self.ids[name])["KeyMetadata"]

    def arn(self, name):
        return self.metadata(name)["Arn"]


CATALOG = None


class Recorder:
    """A server that keeps each request, and gives the same answer to all."""

    def __init__(self, status=200, answer=None, tls=None):
        self.requests = []
        recorder = self
        body = json.dumps(
            answer
            or {"CiphertextBlob": base64.b64encode(b"opaque").decode(), "KeyId": KEY_ARN}
        ).encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers["Content-Length"])
                content = self.rfile.read(length)
                recorder.requests.append((self.headers, json.loads(content)))
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                # A client that does not trust the certificate hangs up: no news.
                pass

            def finish_request(self, request, address):
                # In the connection's own thread, so that a client that does not shake hands
                # holds up nobody.
                if tls is not None:
                    request = tls.wrap_socket(request, server_side=True)
                super().finish_request(request, address)

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.scheme = "http" if tls is None else "https"
        self.endpoint = f"{self.scheme}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def refusing_endpoint():
    """An endpoint that refuses connections, for as long as it is held."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


class PeerTest(peer.PeerTest):
    def kmx_on_moto(self, *arguments, **changes):
        return self.kmx(*arguments, "--endpoint-url", OPTIONS.endpoint, **changes)

    def aws_on_moto(self, *arguments, **changes):
        return self.aws(*arguments, "--endpoint-url", OPTIONS.endpoint, **changes)

    def assert_opens(self, blob, context, length):
        plaintext = KMS.decrypt(
            CiphertextBlob=base64.b64decode(blob, validate=True), EncryptionContext=context
        )["Plaintext"]
        self.assertEqual(len(plaintext), length)


class Lists(PeerTest):
    def assert_whole_catalog(self, outcome):
        self.assert_code(0, outcome)
        self.assert_printable(outcome.stdout)
        rows = {row["KeyId"]: row for row in outcome.json()["Keys"]}
        self.assertEqual(len(rows), len(outcome.json()["Keys"]), "a key has two rows")
        # moto invents aliases of AWS managed keys, and no keys for them.
        others = {key: row for key, row in rows.items() if key not in CATALOG.aliases}
        for row in others.values():
            for alias in row["Aliases"]:
                self.assertTrue(alias.startswith("alias/aws/"), row)
        for name, key_id in CATALOG.ids.items():
            row, metadata = rows[key_id], CATALOG.metadata(name)
            self.assertEqual(row["KeyArn"], metadata["Arn"])
            self.assertEqual(sorted(row["Aliases"]), sorted(CATALOG.aliases[key_id]))
            for member in ["KeyState", "KeySpec", "KeyUsage", "KeyManager", "Origin"]:
                if member in metadata:
                    self.assertEqual(row[member], metadata[member], f"{name}: {member}")
            self.assertEqual(row["Description"], metadata["Description"])
            self.assertNotIn("Error", row)
        states = {name: rows[key_id]["KeyState"] for name, key_id in CATALOG.ids.items()}
        self.assertEqual(states["orders"], "Enabled")
        self.assertEqual(states["disabled"], "Disabled")
        self.assertEqual(states["going"], "PendingDeletion")

    def test_every_key_alias_and_state_with_the_endpoint_from_the_environment(self):
        self.assertGreater(sum(map(len, CATALOG.aliases.values())), 100)
        self.assert_whole_catalog(
            self.kmx("list", "--output", "json", AWS_ENDPOINT_URL_KMS=OPTIONS.endpoint)
        )
        self.assert_whole_catalog(
            self.kmx("list", "--output", "json", AWS_ENDPOINT_URL=OPTIONS.endpoint)
        )

    def test_every_key_alias_and_state_with_the_endpoint_as_an_option(self):
        with refusing_endpoint() as elsewhere:
            self.assert_whole_catalog(
                self.kmx_on_moto("list", "--output", "json", AWS_ENDPOINT_URL_KMS=elsewhere)
            )

    def test_an_option_may_stand_before_the_subcommand(self):
        self.assert_whole_catalog(
            self.kmx("--endpoint-url", OPTIONS.endpoint, "list", "--output", "json")
        )

    def test_a_filter_narrows_to_the_disabled_key(self):
        outcome = self.kmx_on_moto("list", "state:disabled", "--output", "json")
        self.assert_code(0, outcome)
        found = [(row["KeyId"], row["KeyState"]) for row in outcome.json()["Keys"]]
        self.assertEqual(found, [(CATALOG.ids["disabled"], "Disabled")])

    def test_a_filter_that_nothing_matches_gives_an_empty_list(self):
        outcome = self.kmx_on_moto("list", "no-such-word-anywhere", "--output", "json")
        self.assert_code(0, outcome)
        self.assertEqual(outcome.json(), {"Keys": []})

    def test_text_and_table_name_every_key_and_no_control_character(self):
        for output in ["text", "table"]:
            outcome = self.kmx_on_moto("list", "--output", output)
            self.assert_code(0, outcome)
            for key_id in CATALOG.ids.values():
                self.assertIn(key_id, outcome.stdout, output)
            self.assert_printable(outcome.stdout)
            if output == "text":
                self.assertIn("\t", outcome.stdout)


class Generates(PeerTest):
    def test_a_data_key_made_by_alias_opens_under_the_same_context_alone(self):
        for command in [COMMAND, "generate"]:
            outcome = self.kmx_on_moto(
                command,
                "--key-id",
                "alias/peer/orders/0",
                "--encryption-context",
                "a=1,b=2",
                "--key-spec",
                "AES_256",
                "--output",
                "json",
            )
            self.assert_code(0, outcome)
            answer = outcome.json()
            self.assertEqual(answer["KeyId"], CATALOG.arn("orders"))
            self.assertNotIn("Plaintext", answer)
            self.assert_opens(answer["CiphertextBlob"], {"b": "2", "a": "1"}, 32)
            for other in [{"a": "1", "b": "3"}, {"a": "1"}, {}]:
                with self.assertRaises(botocore.exceptions.ClientError):
                    self.assert_opens(answer["CiphertextBlob"], other, 32)

    def test_a_data_key_made_by_arn_with_a_context_in_json_has_as_many_bytes_as_asked(self):
        context = {"a b": "é🔑", "c": 'd,"e'}
        outcome = self.kmx_on_moto(
            COMMAND,
            "--key-id",
            CATALOG.arn("billing"),
            "--number-of-bytes",
            "24",
            "--encryption-context",
            json.dumps(context, ensure_ascii=False),
            "--output",
            "json",
        )
        self.assert_code(0, outcome)
        self.assert_opens(outcome.json()["CiphertextBlob"], context, 24)

    def test_output_is_what_the_aws_cli_prints(self):
        arguments = [COMMAND, "--key-id", "alias/peer/orders/0", "--key-spec", "AES_128"]
        for output in ["json", "text"]:
            ours, theirs = (
                run(*arguments, "--output", output)
                for run in (self.kmx_on_moto, self.aws_on_moto)
            )
            self.assert_code(0, ours)
            self.assert_code(0, theirs)
            # Each call makes another blob, of the same length.
            blobs = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
            shapes = [
                blobs.sub(lambda found: f"<{len(found[0])}>", outcome.stdout)
                for outcome in (ours, theirs)
            ]
            self.assertEqual(shapes[0], shapes[1])
        table = self.kmx_on_moto(*arguments, "--output", "table")
        self.assert_code(0, table)
        for text in ["CiphertextBlob", "KeyId", CATALOG.arn("orders")]:
            self.assertIn(text, table.stdout)

    def test_json_is_the_default_output(self):
        outcome = self.kmx_on_moto(
            COMMAND, "--key-id", "alias/peer/orders/0", "--number-of-bytes", "1"
        )
        self.assert_code(0, outcome)
        self.assert_opens(outcome.json()["CiphertextBlob"], {}, 1)


class Skeletons(PeerTest):
    def test_the_skeleton_is_the_same_twice_and_runs_with_a_key_filled_in(self):
        # Neither credentials nor a region nor a key: it is asked for before there are any.
        nothing = dict.fromkeys(["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION"])
        first, second = (
            self.kmx(COMMAND, "--generate-cli-skeleton", **nothing) for _ in range(2)
        )
        self.assert_code(0, first)
        self.assertEqual(first.stdout, second.stdout)
        skeleton = first.json()
        members = {
            "KeyId",
            "EncryptionContext",
            "KeySpec",
            "NumberOfBytes",
            "GrantTokens",
            "DryRun",
        }
        self.assertEqual(set(skeleton) - members, set())
        self.assertIn("KeyId", skeleton)

        path = self.file("request.json", json.dumps(skeleton | {"KeyId": "alias/peer/orders/1"}))
        outcome = self.kmx_on_moto(COMMAND, "--cli-input-json", f"file://{path}")
        self.assert_code(0, outcome)

    def test_options_win_over_the_input_json_member_by_member(self):
        request = {
            "KeyId": "alias/peer/billing/0",
            "KeySpec": "AES_128",
            "EncryptionContext": {"from": "json", "kept": "no"},
        }
        path = self.file("request.json", json.dumps(request))
        for source in [f"file://{path}", json.dumps(request)]:
            outcome = self.kmx_on_moto(COMMAND, "--cli-input-json", source)
            self.assert_code(0, outcome)
            self.assert_opens(outcome.json()["CiphertextBlob"], request["EncryptionContext"], 16)
            outcome = self.kmx_on_moto(
                COMMAND,
                "--key-id",
                "alias/peer/orders/0",
                "--key-spec",
                "AES_256",
                "--encryption-context",
                "from=option",
                "--cli-input-json",
                source,
            )
            self.assert_code(0, outcome)
            self.assertEqual(outcome.json()["KeyId"], CATALOG.arn("orders"))
            self.assert_opens(outcome.json()["CiphertextBlob"], {"from": "option"}, 32)


class Sends(PeerTest):
    """The same arguments, the same request."""

    def body(self, run, arguments):
        """The request's body; an empty map or list, or False, is the same as nothing."""
        with Recorder() as recorder:
            outcome = run(*arguments, "--endpoint-url", recorder.endpoint)
        target = f"TrentService.{OPERATION}"
        sent = [request for request in recorder.requests if request[0]["X-Amz-Target"] == target]
        self.assertEqual(len(sent), 1, str(outcome))
        headers, body = sent[0]
        self.assertIn(f"/{REGION}/kms/aws4_request", headers["Authorization"])
        return {name: value for name, value in body.items() if value not in ({}, [], False)}

    def test_kmx_and_the_aws_cli_send_the_same_for_the_same_arguments(self):
        context = self.file("context.json", '{"from": "a file", "é": "ü"}')
        value = self.file("value.txt", "two\nlines, with a comma\n")
        key = ["--key-id", "alias/x"]
        spec = ["--key-spec", "AES_256"]
        for arguments in [
            [*key, *spec],
            ["--key-id", KEY_ARN, "--number-of-bytes", "1024"],
            [*key, *spec, "--encryption-context", "a=1,b=2"],
            [*key, *spec, "--encryption-context", r"""a=b\,c,d="e \"f\"",g = 'h,i' ,j=k=l"""],
            [*key, *spec, "--encryption-context", "a=,b="],
            [*key, *spec, "--encryption-context", '{"a b": "c", "é": "🔑"}'],
            [*key, *spec, "--encryption-context", "{}"],
            [*key, *spec, "--encryption-context", f"file://{context}"],
            [*key, *spec, "--encryption-context", f"a@=file://{value},b=file://{value}"],
            [*key, *spec, "--grant-tokens", "t1", "t2"],
            [*key, *spec, "--grant-tokens", '["t1", "t2"]'],
            [*key, *spec, "--dry-run"],
            [*key, *spec, "--no-dry-run"],
            [
                *key,
                "--cli-input-json",
                '{"KeyId": "alias/y", "NumberOfBytes": 7, "GrantTokens": ["t"]}',
            ],
        ]:
            with self.subTest(arguments=arguments):
                ours = self.body(self.kmx, [COMMAND, *arguments])
                theirs = self.body(self.aws, [COMMAND, *arguments])
                self.assertEqual(ours, theirs)

    def test_a_profile_that_is_asked_for_goes_before_credentials_in_the_environment(self):
        self.file(
            ".aws/credentials",
            "[peer]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n",
        )
        self.file(".aws/config", "[profile peer]\nregion = eu-west-1\n")
        for profile, key, region in [
            (["--profile", "peer"], "AKIDPROFILE", "eu-west-1"),
            ([], "AKIDENVIRONMENT", REGION),
        ]:
            regions = {} if not profile else {"AWS_REGION": None, "AWS_DEFAULT_REGION": None}
            with Recorder() as recorder:
                outcome = self.kmx(
                    COMMAND,
                    "--key-id",
                    "alias/x",
                    "--key-spec",
                    "AES_256",
                    "--endpoint-url",
                    recorder.endpoint,
                    *profile,
                    **regions,
                )
                self.assert_code(0, outcome)
                authorization = recorder.requests[0][0]["Authorization"]
            self.assertRegex(authorization, rf"Credential={key}/[0-9]+/{region}/kms/")


class Fails(PeerTest):
    REQUEST = [COMMAND, "--key-id", "alias/peer/orders/0", "--key-spec", "AES_256"]

    def test_254_what_the_service_refuses_reads_as_in_the_aws_cli(self):
        arguments = [COMMAND, "--key-id", "alias/not-there", "--key-spec", "AES_256"]
        ours, theirs = self.kmx_on_moto(*arguments), self.aws_on_moto(*arguments)
        said = theirs.stderr.strip()
        start = f"An error occurred (NotFoundException) when calling the {OPERATION} operation: "
        self.assertTrue(said.startswith(start), said)
        self.assert_refused(254, ours, re.escape(said))

    def test_252_wrong_arguments_are_refused_before_any_call(self):
        key = [COMMAND, "--key-id", "alias/x"]
        of_bytes = "(?i)number[- ]?of[- ]?bytes"
        with Recorder() as recorder:
            for arguments, text in [
                ([*key, "--key-spec", "AES_256", "--number-of-bytes", "32"], of_bytes),
                ([*key, "--number-of-bytes", "1025"], "1024"),
                ([*key, "--number-of-bytes", "0"], "1024"),
                ([*key, "--number-of-bytes", "many"], of_bytes),
                ([*key, "--key-spec", "AES_192"], "AES_256"),
                ([*key, "--key-spec", "AES_256", "--no-such-option"], "--no-such-option"),
                ([*key, "--key-spec", "AES_256", "--encryption-context", "a=b,c"], "list"),
                ([*key, "--key-spec", "AES_256", "--encryption-context", "a=1,a=2"], "twice"),
                ([*key, "--key-spec", "AES_256", "--encryption-context", '{"a":1}'], "text"),
                ([*key, "--cli-input-json", '{"Foo": 1}'], "Foo"),
                ([*key, "--cli-input-json", "{"], "JSON"),
                ([COMMAND, "--key-spec", "AES_256"], "key-id|KeyId|name a key"),
                (["no-such-command"], "no-such-command"),
            ]:
                with self.subTest(arguments=arguments):
                    outcome = self.kmx(*arguments, AWS_ENDPOINT_URL_KMS=recorder.endpoint)
                    self.assert_refused(252, outcome, text)
            self.assertEqual(recorder.requests, [])

    def test_253_no_region(self):
        outcome = self.kmx_on_moto(*self.REQUEST, AWS_REGION=None, AWS_DEFAULT_REGION=None)
        self.assert_refused(253, outcome, "no region")

    def test_253_no_credentials(self):
        outcome = self.kmx_on_moto(
            *self.REQUEST, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None
        )
        self.assert_refused(253, outcome, "no credentials")

    def test_253_a_profile_that_does_not_exist(self):
        self.file(".aws/config", "[profile other]\nregion = us-east-1\n")
        outcome = self.kmx_on_moto(*self.REQUEST, "--profile", "nope")
        self.assert_refused(253, outcome, "no profile named", "nope")
        outcome = self.kmx_on_moto(*self.REQUEST, AWS_PROFILE="nope")
        self.assert_refused(253, outcome, "no profile named", "nope")

    def test_255_a_connection_that_is_refused(self):
        with refusing_endpoint() as endpoint:
            outcome = self.kmx(*self.REQUEST, "--endpoint-url", endpoint)
        self.assert_refused(255, outcome, "could not connect to")

    def test_no_credential_is_in_what_is_said(self):
        secret = "a-secret-that-shows"
        outcome = self.kmx_on_moto(
            COMMAND,
            "--key-id",
            "alias/not-there",
            "--key-spec",
            "AES_256",
            AWS_SECRET_ACCESS_KEY=secret,
            AWS_SESSION_TOKEN=f"{secret}-token",
        )
        self.assert_code(254, outcome)
        self.assertNotIn(secret, outcome.stdout + outcome.stderr)


class Certificates(PeerTest):
    """A server with a certificate of an authority that nobody knows, unless told."""

    REQUEST = [COMMAND, "--key-id", "alias/x", "--key-spec", "AES_256"]

    def setUp(self):
        super().setUp()
        self.authority, chain = self.make_certificates()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chain)
        answer = {"__type": "NotFoundException", "message": "the answer came through"}
        self.recorder = self.enterContext(Recorder(status=400, answer=answer, tls=tls))

    def make_certificates(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

        def certificate(name, issuer, public_key, extensions):
            builder = x509.CertificateBuilder(
                subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
                issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]),
                public_key=public_key,
                serial_number=x509.random_serial_number(),
                not_valid_before=now - day,
                not_valid_after=now + day,
            )
            for extension, critical in extensions:
                builder = builder.add_extension(extension, critical)
            return builder.sign(authority_key, hashes.SHA256()).public_bytes(
                serialization.Encoding.PEM
            )

        authority = certificate(
            "peer test authority",
            "peer test authority",
            authority_key.public_key(),
            [(x509.BasicConstraints(ca=True, path_length=0), True)],
        )
        server = certificate(
            "peer test server",
            "peer test authority",
            key.public_key(),
            [
                (x509.BasicConstraints(ca=False, path_length=None), True),
                (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
                (
                    x509.SubjectAlternativeName(
                        [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                    ),
                    False,
                ),
            ],
        )
        private_key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        bundle = self.file("authority.pem", authority.decode())
        chain = self.file("server.pem", (private_key + server).decode())
        return bundle, chain

    def test_255_a_certificate_of_an_unknown_authority(self):
        outcome = self.kmx(*self.REQUEST, "--endpoint-url", self.recorder.endpoint)
        self.assert_refused(255, outcome, "certificate")
        self.assertEqual(self.recorder.requests, [])

    def test_a_bundle_makes_it_known(self):
        endpoint = ["--endpoint-url", self.recorder.endpoint]
        by_option = self.kmx(*self.REQUEST, *endpoint, "--ca-bundle", str(self.authority))
        by_variable = self.kmx(*self.REQUEST, *endpoint, AWS_CA_BUNDLE=str(self.authority))
        for outcome in [by_option, by_variable]:
            self.assert_refused(254, outcome, "the answer came through")

    def test_255_a_certificate_for_another_host(self):
        # It names 127.0.0.1, and `localhost` is the same machine.
        endpoint = f"https://localhost:{self.recorder.port}"
        outcome = self.kmx(
            *self.REQUEST, "--endpoint-url", endpoint, "--ca-bundle", str(self.authority)
        )
        self.assert_refused(255, outcome, "certificate")
        self.assertEqual(self.recorder.requests, [])


def main():
    global KMS, CATALOG
    peer.read_options(lambda parser: parser.add_argument("--endpoint", required=True))
    KMS = boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=OPTIONS.endpoint,
        aws_access_key_id="AKIDBOTO",
        aws_secret_access_key="secret",
    )
    CATALOG = Catalog()
    return peer.run(sys.modules[__name__])


if __name__ == "__main__":
    sys.exit(main())
