"""Client certificates, from an authority of the shop's own that lies in the data directory.

A proxy that has ``ca.pem`` lets only certificates of this authority through. The device's row says which device a
certificate belongs to, and whether that may still come in. So the proxy needs not be told when a device is revoked.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .proxies import fingerprint

AUTHORITY_LASTS = timedelta(days=30 * 365)
CERTIFICATE_LASTS = timedelta(days=5 * 365)
SLACK = timedelta(days=1)  # a clock that is a little slow must not take a new certificate for one of tomorrow
LONGEST_NAME = 64  # characters that X.509 allows


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate and its key, both in PEM. The server keeps neither."""

    certificate: bytes
    key: bytes = field(repr=False)
    fingerprint: str
    expires_at: datetime

    def save(self, folder: Path) -> None:
        """``certificate.pem`` and ``key.pem`` (its owner's only) in ``folder``. Raises OSError; replaces nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        write_new(folder / "key.pem", self.key, mode=0o600)
        try:
            write_new(folder / "certificate.pem", self.certificate, mode=0o644)
        except OSError:
            (folder / "key.pem").unlink()
            raise


def issue(*, name: str, authority: Path, now: datetime | None = None) -> Issued:
    """A certificate for the device ``name``, by the authority in the folder ``authority``, which is made if need be."""
    now = now or datetime.now(UTC)
    if not authority.exists():
        found_authority(authority, now=now)
    signer = x509.load_pem_x509_certificate((authority / "ca.pem").read_bytes())
    signing_key = load_pem_private_key((authority / "ca.key").read_bytes(), password=None)
    assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    expires_at = min(now + CERTIFICATE_LASTS, signer.not_valid_after_utc).replace(microsecond=0)
    draft = (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .issuer_name(signer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(expires_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    pem = draft.sign(signing_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return Issued(certificate=pem, key=unlocked(key), fingerprint=fingerprint(pem.decode()), expires_at=expires_at)


def found_authority(folder: Path, *, now: datetime) -> None:
    """Make the new ``folder`` with ``ca.pem`` and ``ca.key``. Of two calls at the same moment one makes both files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name("RedCoral devices")
    signs_only = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    draft = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SLACK)
        .not_valid_after(now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **signs_only), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    certificate = draft.sign(key, hashes.SHA256())
    making = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        write_new(making / "ca.key", unlocked(key), mode=0o600)
        write_new(making / "ca.pem", certificate.public_bytes(Encoding.PEM), mode=0o644)
        making.chmod(0o755)  # the proxy reads ca.pem
        with suppress(FileExistsError, NotADirectoryError):
            making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME])])


def unlocked(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Make a file that nobody can read before it has its ``mode``, and that survives a power failure."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask: a proxy reads some
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
