"""`make audit`: known flaws of what we install, and secrets in what is committed. python -m tests.audit [secrets|flaws]

It ends with 0 where both were looked at and nothing was found, else with 1 and a sentence. Where the advisory service
cannot be reached nothing is said to be sound.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[1]

# Every sort that the scanner knows by its form. Random-looking text is left out: our files are full of SHA-256.
PLUGINS = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector",
    "DiscordBotTokenDetector", "GitHubTokenDetector", "GitLabTokenDetector", "JwtTokenDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector",
    "SoftlayerDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
BY_NAME = "KeywordDetector"  # `password = "..."`; not in tests, which sign made-up people in.
# Files in which something looks like a secret, how often, and why it is none.
KNOWN = {
    "deploy/.env.example": (1, "user:password in the pattern of an address"),
    "docs/settings.md": (1, "the same"),
    "deploy/kubernetes/secret.yaml.example": (1, "the same"),
    "deploy/kubernetes/ingress.yaml": (1, "the name under which the cluster keeps a certificate"),
    "webapp/environment.py": (1, "the same"),
    "webapp/one_machine.py": (1, "the same"),
    "tests/web/test_one_machine.py": (1, "the same"),
    "docs/notices.md": (1, "the same"),
    "tests/web/test_notices.py": (2, "a made-up mail server, and an address that is refused for its password"),
    "tests/web/test_safety_headers.py": (1, "a made-up password that must not be shown"),
    "tests/browser/test_random_comparison.py": (1, "the end of 'weighs_' in a name begins like a token"),
    "tests/engine/test_bounded_search.py": (1, "the same"),
}
NO_SOURCE = (".png", ".gz", ".npz", ".zip", ".safetensors", ".min.js", ".sqlite3")


def main(arguments: Sequence[str]) -> int:
    wanted = arguments or ("secrets", "flaws")
    complaints = []
    if "secrets" in wanted:
        complaints += [
            f"{name} holds what looks like a secret, on line {line}: {kind}." for name, line, kind in secrets()
        ]
    if "flaws" in wanted:
        complaints += flaws()
    print("\n".join(complaints) or f"Nothing was found: {' and '.join(wanted)}.")
    return 1 if complaints else 0


def secrets() -> list[tuple[str, int, str]]:
    """(file, line, sort) of everything that looks like a secret in committed files and is not known to be none."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in listed.stdout.splitlines() if not name.endswith(NO_SOURCE) and (ROOT / name).is_file()]
    found = scanned([name for name in names if name.startswith("tests/")], PLUGINS)
    return found + scanned([name for name in names if not name.startswith("tests/")], (*PLUGINS, BY_NAME))


def scanned(names: Sequence[str], plugins: Sequence[str], root: Path = ROOT) -> list[tuple[str, int, str]]:
    found = []
    with transient_settings({"plugins_used": [{"name": plugin} for plugin in plugins]}):
        for name in names:
            collection = SecretsCollection()
            collection.scan_file(str(root / name))
            here = [(name, each.line_number, each.type) for _, each in collection]
            if len(here) != KNOWN.get(name, (0, ""))[0]:
                found += here
    return found


def flaws() -> list[str]:
    """Sentences on the packages of requirements.txt of which a flaw is known, or on why that could not be found out."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", "requirements.txt", "--no-deps", "--disable-pip",
         "--format", "json", "--progress-spinner", "off", "--timeout", "15"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    try:
        told = json.loads(done.stdout)["dependencies"]
    except (json.JSONDecodeError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return [f"NOT AUDITED: the advisory service could not be asked ({reason[:300]})."]
    skipped = [package["name"] for package in told if "skip_reason" in package]
    if skipped or not told:
        return [f"NOT AUDITED: the advisory service knew nothing of {', '.join(skipped) or 'anything'}."]
    return [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}."
        for package in told
        for flaw in package.get("vulns", ())
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
