"""What the peer tests share: how programs are run, what is asserted of them, and how a file of
tests is started. It knows neither moto nor `kmx serve`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

REGION = "us-east-1"
# A run that takes longer hangs.
DEADLINE = 120

OPTIONS = argparse.Namespace()


class Outcome:
    """How a run ended."""

    def __init__(self, arguments, finished):
        self.arguments = arguments
        self.code = finished.returncode
        self.stdout = finished.stdout.decode()
        self.stderr = finished.stderr.decode()

    def __str__(self):
        return (
            f"{' '.join(map(repr, self.arguments))}\n"
            f"exit code {self.code}\nstdout: {self.stdout}\nstderr: {self.stderr}"
        )

    def json(self):
        return json.loads(self.stdout)


class PeerTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = pathlib.Path(home.name)

    def environment(self, **changes):
        """Nothing of the caller's, and what is given; None takes a variable away."""
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": "AKIDENVIRONMENT",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
        } | changes
        return {name: value for name, value in variables.items() if value is not None}

    def run_program(self, program, *arguments, **changes):
        finished = subprocess.run(
            [program, *arguments],
            env=self.environment(**changes),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )
        return Outcome([program, *arguments], finished)

    def kmx(self, *arguments, **changes):
        return self.run_program(OPTIONS.kmx, *arguments, **changes)

    def aws(self, *arguments, **changes):
        return self.run_program(OPTIONS.aws, "kms", *arguments, **changes)

    def assert_code(self, code, outcome):
        self.assertEqual(outcome.code, code, str(outcome))

    def assert_refused(self, code, outcome, *texts):
        """Data nowhere, and each text in what was said. A text is a regular expression."""
        self.assert_code(code, outcome)
        self.assertEqual(outcome.stdout, "", str(outcome))
        for text in texts:
            self.assertRegex(outcome.stderr, text, str(outcome))

    def assert_printable(self, text):
        raw = [c for c in text if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]
        bidi = [c for c in text if c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]
        self.assertEqual(raw + bidi, [], repr(text))

    def file(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path


class Summary(unittest.TextTestResult):
    """Counts a test with a failed part as one failure."""

    def failed(self):
        tests = {str(getattr(test, "test_case", test)) for test, _ in self.failures + self.errors}
        return len(tests)


def read_options(more=None):
    """Fills OPTIONS from the command line; `more` adds options of its own to the parser."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kmx", required=True)
    parser.add_argument("--aws", required=True)
    parser.add_argument("tests", nargs="*", help="Class or Class.test, all if left out")
    if more is not None:
        more(parser)
    parser.parse_args(namespace=OPTIONS)


def run(module):
    """Runs the tests of a module, or those of it that are named; the exit code."""
    loader = unittest.defaultTestLoader
    suite = (
        loader.loadTestsFromNames(OPTIONS.tests, module)
        if OPTIONS.tests
        else loader.loadTestsFromModule(module)
    )
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Summary).run(suite)
    failed = result.failed()
    name = pathlib.Path(module.__file__).name
    print(f"peer tests, {name}: {result.testsRun - failed} passed, {failed} failed", flush=True)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1
