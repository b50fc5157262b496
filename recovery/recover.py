#!/usr/bin/env python3
"""Give files back from k locations of a Quorate vault, with nothing else.

    python3 recover.py --out restored LOCATION LOCATION ...

A LOCATION is the folder of one location (or what was downloaded from its bucket), or one single fragment
file. Python 3.8 or later is enough; no package, no network, no server and no database is needed.

This program was written from two pages only, `docs/spec/fragment.md` and `docs/spec/vault.md`, by somebody who
had not read the product's own code. The comments name the sentence of the page that a step follows. It reads
locations and never writes to them; it writes only below --out.

Exit codes: 0 everything was restored and nothing wrong was seen; 1 the command line is wrong; 2 nothing could be
restored; 3 something is damaged, missing or in conflict, and what can be read was restored.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import collections
import ctypes
import ctypes.util
import datetime
import functools
import hashlib
import hmac
import itertools
import json
import math
import os
import re
import shutil
import stat
import struct
import sys
import tempfile
import time
import unicodedata

# ---------------------------------------------------------------------------------------------------------------
# Bounds. Every length that comes from a location is held against one of these before memory is taken for it.

EXT_BYTES_MAX = 1024
DEALT_FROM = 1  # ext: dealId of the dealing that this one was dealt anew from
HEAD_BYTES_MAX = 8 + 83 + EXT_BYTES_MAX + 18 + 64
META_BYTES_MAX = 1 << 20
TRAILER_BYTES_MAX = HEAD_BYTES_MAX + 14 + 65535 * 12 + META_BYTES_MAX + 16 + 96  # all below the 2^24 of the page
VAULT_HEAD_BYTES_MAX = 1 << 20
CATALOGUE_LINE_BYTES_MAX = 4 << 20
COPIES_PER_LOCATION_MAX = 16  # files of one set at one location that are looked at; more harm only that location
KEY_TRIES_MAX = 1 << 20  # C(n, k) <= 2^20 is promised by every writer
META_KEY_TRIES_MAX = 1 << 16
RECORD_TRIES_MAX = 1 << 12
FOLDER_DEPTH_MAX = 12
JSON_DEPTH_MAX = 32

CATALOGUE_TYPE = "application/vnd.quorate.catalogue"


class Damaged(Exception):
    """Bytes from a location are not what the page allows; the text says what, in words for a person."""


class Unreadable(Exception):
    """An object cannot be given back; the text says why and what would help."""


# ---------------------------------------------------------------------------------------------------------------
# GF(2^8) with 0x11b, and sharing. fragment.md, opening paragraph.


def _gf_tables():
    exp, log = [0] * 510, [0] * 256
    value = 1
    for power in range(255):
        exp[power] = exp[power + 255] = value
        log[value] = power
        double = value << 1
        value = value ^ double ^ (0x11B if double & 0x100 else 0)  # times 3, a generator (2 is not one)
    return exp, log


_EXP, _LOG = _gf_tables()


def gf_mul(a, b):
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def gf_div(a, b):
    return _EXP[_LOG[a] - _LOG[b] + 255] if a else 0


@functools.lru_cache(maxsize=256)
def times(factor):
    """Table for bytes.translate: every byte multiplied by `factor`."""
    return bytes(gf_mul(factor, value) for value in range(256))


@functools.lru_cache(maxsize=4096)
def lagrange(xs, at):
    """Weights with f(at) = sum weight_i * f(xs_i) for every f of degree < len(xs); xs distinct."""
    weights = []
    for i, xi in enumerate(xs):
        above, below = 1, 1
        for j, xj in enumerate(xs):
            if j != i:
                above = gf_mul(above, at ^ xj)
                below = gf_mul(below, xi ^ xj)
        weights.append(gf_div(above, below))
    return tuple(weights)


def combine(xs, shares, at=0):
    """The value at `at` of the polynomials through the shares, byte by byte. Tables multiply, big integers add."""
    total = 0
    for weight, share in zip(lagrange(tuple(xs), at), shares):
        if weight:
            total ^= int.from_bytes(share if weight == 1 else share.translate(times(weight)), "little")
    return total.to_bytes(len(shares[0]), "little")


def xor(a, b):
    return (int.from_bytes(a, "little") ^ int.from_bytes(b, "little")).to_bytes(len(a), "little")


# ---------------------------------------------------------------------------------------------------------------
# AES-256-GCM. NIST FIPS 197 and SP 800-38D. Twice: the system's libcrypto, and pure Python that works on many
# blocks at once (one bytes object per position in the block; tables substitute, big integers add).


def _sbox():
    box = []
    for value in range(256):
        inverse = gf_div(1, value) if value else 0
        out = 0x63
        for turn in range(5):
            out ^= ((inverse << turn) | (inverse >> (8 - turn))) & 0xFF
        box.append(out)
    return bytes(box)


_SBOX = _sbox()
_REVERSED = bytes(int("{:08b}".format(value)[::-1], 2) for value in range(256))


@functools.lru_cache(maxsize=256)
def _xor_table(key):
    return bytes(value ^ key for value in range(256))


@functools.lru_cache(maxsize=256)
def _sub_tables(key):
    """Key byte and substitution in one table; and the same times 2."""
    once = bytes(_SBOX[value ^ key] for value in range(256))
    return once, once.translate(times(2))


class PureAes:
    """AES-256 of counter blocks. FIPS 197."""

    def __init__(self, key):
        words = [key[i : i + 4] for i in range(0, 32, 4)]
        rcon = 1
        for i in range(8, 60):
            word = words[-1]
            if i % 8 == 0:
                word = (word[1:] + word[:1]).translate(_SBOX)
                word = bytes([word[0] ^ rcon]) + word[1:]
                rcon = gf_mul(rcon, 2)
            elif i % 8 == 4:
                word = word.translate(_SBOX)
            words.append(xor(words[-8], word))
        self.rounds = [b"".join(words[i : i + 4]) for i in range(0, 60, 4)]

    def counters(self, nonce, first, count):
        """Key stream of `count` blocks nonce | u32 counter, counting from `first`."""
        numbers = struct.pack(">%dI" % count, *range(first, first + count))
        planes = [bytes([value]) * count for value in nonce] + [numbers[i::4] for i in range(4)]
        return self.encrypt(planes, count)

    def encrypt(self, planes, count):
        for key in self.rounds[:13]:
            once, twice = [], []
            for plane, byte in zip(planes, key):
                table, table2 = _sub_tables(byte)
                once.append(int.from_bytes(plane.translate(table), "little"))
                twice.append(int.from_bytes(plane.translate(table2), "little"))
            planes = [b""] * 16
            for column in range(4):
                rows = [row + 4 * ((column + row) % 4) for row in range(4)]  # ShiftRows
                every = once[rows[0]] ^ once[rows[1]] ^ once[rows[2]] ^ once[rows[3]]
                for row in range(4):
                    here, below = rows[row], rows[(row + 1) % 4]
                    mixed = every ^ once[here] ^ twice[here] ^ twice[below]  # 2a + 3b + c + d
                    planes[row + 4 * column] = mixed.to_bytes(count, "little")
        out = bytearray(16 * count)
        for column in range(4):
            for row in range(4):
                source = row + 4 * ((column + row) % 4)
                place = row + 4 * column
                plane = planes[source].translate(_sub_tables(self.rounds[13][source])[0])
                out[place::16] = plane.translate(_xor_table(self.rounds[14][place]))
        return bytes(out)


@functools.lru_cache(maxsize=64)
def _lane_mask(lanes):
    return int.from_bytes((b"\xff" * 16 + b"\0" * 16) * lanes, "little")


def _times_constant(lanes, factor, mask):
    """Every 256-bit lane (holding 128 bits) times `factor` in GF(2^128), bit i = x^i. Four bits at a time."""
    window = [0, lanes, lanes << 1, (lanes << 1) ^ lanes]
    window += [w ^ (lanes << 2) for w in window]
    window += [w ^ (lanes << 3) for w in window]
    product, place = 0, 0
    while factor:
        if factor & 15:
            product ^= window[factor & 15] << place
        factor >>= 4
        place += 4
    for _ in range(2):  # x^128 = x^7 + x^2 + x + 1; what the first fold pushes over the edge, the second brings in
        high = (product >> 128) & mask
        product = (product & mask) ^ high ^ (high << 1) ^ (high << 2) ^ (high << 7)
    return product


class PureGcm:
    """AES-256-GCM in pure Python."""

    name = "pure Python"

    def __init__(self):
        self._keys = collections.OrderedDict()

    def _key(self, key):
        found = self._keys.get(key)
        if found is None:
            aes = PureAes(key)
            block = aes.encrypt([b"\0"] * 16, 1)
            found = (aes, int.from_bytes(block.translate(_REVERSED), "little"))
            self._keys[key] = found
            while len(self._keys) > 64:
                self._keys.popitem(last=False)
        return found

    @staticmethod
    def _ghash(h, data):
        """Sum of block_i * h^(N-i), halving the blocks at each step. SP 800-38D section 6.4."""
        count = len(data) // 16
        value = int.from_bytes(data.translate(_REVERSED), "little")
        powers = [h]  # h^(2^i)
        while count > 1:
            if count & 1:
                value <<= 128  # a zero block in front changes nothing
                count += 1
            count //= 2
            first = value & ((1 << (128 * count)) - 1)
            second = value >> (128 * count)
            factor = PureGcm._power(powers, count)
            lanes = (count + 1) // 2
            mask = _lane_mask(lanes)
            even = _times_constant(first & mask, factor, mask)
            odd = _times_constant((first >> 128) & mask, factor, mask)
            value = even ^ (odd << 128) ^ second
        total = _times_constant(value, h, _lane_mask(1))
        return total.to_bytes(16, "little").translate(_REVERSED)

    @staticmethod
    def _power(powers, exponent):
        mask = _lane_mask(1)
        result, bit = None, 0
        while exponent:
            if bit == len(powers):
                powers.append(_times_constant(powers[-1], powers[-1], mask))
            if exponent & 1:
                result = powers[bit] if result is None else _times_constant(result, powers[bit], mask)
            exponent >>= 1
            bit += 1
        return result

    def _tag(self, key, nonce, aad, sealed):
        aes, h = self._key(key)
        data = b"".join(
            (aad, bytes(-len(aad) % 16), sealed, bytes(-len(sealed) % 16), struct.pack(">QQ", 8 * len(aad), 8 * len(sealed)))
        )
        return xor(self._ghash(h, data), aes.counters(nonce, 1, 1))

    def gmac(self, key, nonce, parts):
        return self._tag(key, nonce, b"".join(parts), b"")

    def open(self, key, nonce, aad, sealed):
        """The text, or None when the tag is wrong."""
        text, tag = sealed[:-16], sealed[-16:]
        if not hmac.compare_digest(self._tag(key, nonce, aad, text), tag):
            return None
        stream = self._key(key)[0].counters(nonce, 2, (len(text) + 15) // 16)
        return xor(text, stream[: len(text)]) if text else b""


class LibcryptoGcm:
    """AES-256-GCM by OpenSSL's EVP interface, which every system with Python's ssl has."""

    GET_TAG, SET_TAG = 0x10, 0x11

    def __init__(self, library, name):
        self.name = name
        self._library = library
        pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
        self._length = ctypes.c_int(0)
        length = ctypes.POINTER(ctypes.c_int)
        for function, result, arguments in (
            ("EVP_CIPHER_CTX_new", pointer, []),
            ("EVP_CIPHER_CTX_free", None, [pointer]),
            ("EVP_CIPHER_CTX_ctrl", number, [pointer, number, number, pointer]),
            ("EVP_aes_256_gcm", pointer, []),
            ("EVP_EncryptInit_ex", number, [pointer, pointer, pointer, text, text]),
            ("EVP_EncryptUpdate", number, [pointer, pointer, length, text, number]),
            ("EVP_EncryptFinal_ex", number, [pointer, pointer, length]),
            ("EVP_DecryptInit_ex", number, [pointer, pointer, pointer, text, text]),
            ("EVP_DecryptUpdate", number, [pointer, pointer, length, text, number]),
            ("EVP_DecryptFinal_ex", number, [pointer, pointer, length]),
        ):
            entry = getattr(library, function)
            entry.restype, entry.argtypes = result, arguments
        self._cipher = library.EVP_aes_256_gcm()
        self._context = library.EVP_CIPHER_CTX_new()
        if not self._cipher or not self._context:
            raise OSError("libcrypto has no AES-256-GCM")

    def gmac(self, key, nonce, parts):
        lib, context, length = self._library, self._context, ctypes.byref(self._length)
        good = lib.EVP_EncryptInit_ex(context, self._cipher, None, key, nonce) == 1
        for part in parts:
            good = good and lib.EVP_EncryptUpdate(context, None, length, part, len(part)) == 1
        tag = ctypes.create_string_buffer(16)
        good = good and lib.EVP_EncryptFinal_ex(context, tag, length) == 1
        good = good and lib.EVP_CIPHER_CTX_ctrl(context, self.GET_TAG, 16, tag) == 1
        if not good:
            raise OSError("libcrypto failed")
        return tag.raw

    def open(self, key, nonce, aad, sealed):
        lib, context, length = self._library, self._context, ctypes.byref(self._length)
        text, tag = sealed[:-16], ctypes.create_string_buffer(sealed[-16:], 16)
        out = ctypes.create_string_buffer(max(1, len(text)))
        good = lib.EVP_DecryptInit_ex(context, self._cipher, None, key, nonce) == 1
        good = good and lib.EVP_DecryptUpdate(context, None, length, aad, len(aad)) == 1
        if text:
            good = good and lib.EVP_DecryptUpdate(context, out, length, text, len(text)) == 1
        good = good and lib.EVP_CIPHER_CTX_ctrl(context, self.SET_TAG, 16, tag) == 1
        rest = ctypes.create_string_buffer(16)
        if not good:
            raise OSError("libcrypto failed")
        return out.raw[: len(text)] if lib.EVP_DecryptFinal_ex(context, rest, length) == 1 else None


def _libcrypto_names():
    if sys.platform == "darwin":  # the libcrypto.dylib of macOS itself ends the process when it is loaded
        for folder in ("/opt/homebrew/opt", "/usr/local/opt", "/opt/local/libexec"):
            for version, name in (("openssl@3", "libcrypto.3.dylib"), ("openssl@1.1", "libcrypto.1.1.dylib")):
                yield os.path.join(folder, version, "lib", name)
        return
    if os.name == "nt":
        for folder in (os.path.join(sys.base_prefix, "DLLs"), sys.base_prefix):
            for name in ("libcrypto-3.dll", "libcrypto-3-x64.dll", "libcrypto-1_1.dll", "libcrypto-1_1-x64.dll"):
                yield os.path.join(folder, name)
        return
    yield "libcrypto.so.3"
    yield "libcrypto.so.1.1"
    found = ctypes.util.find_library("crypto")
    if found:
        yield found


def _works(gcm):
    """GCM specification (McGrew, Viega), test case 16 cut to its authenticated data, and its own round trip."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
        "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
    )
    text = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
        "b16aedf5aa0de657ba637b39"
    )
    return gcm.open(key, nonce, aad, sealed) == text and gcm.open(key, nonce, aad[1:], sealed) is None


def choose_gcm(pure=False):
    """libcrypto when it is there and answers a known question rightly, else pure Python."""
    if not pure:
        for name in _libcrypto_names():
            try:
                gcm = LibcryptoGcm(ctypes.CDLL(name), os.path.basename(name))
                if _works(gcm):
                    return gcm
            except (OSError, AttributeError, ValueError):
                continue
    gcm = PureGcm()
    if not _works(gcm):
        raise AssertionError("the AES of this program does not work on this Python")
    return gcm


def pure_rate():
    """Bytes a second that the pure AES checks and opens, measured on 256 KiB."""
    gcm = PureGcm()
    data = bytes(1 << 18)
    gcm._key(bytes(32))[0].counters(bytes(12), 2, 64)
    began = time.perf_counter()
    gcm.gmac(bytes(32), bytes(12), [data])
    gcm._key(bytes(32))[0].counters(bytes(12), 2, len(data) // 16)
    return len(data) / (time.perf_counter() - began)


GCM = None  # chosen once by main or by a test


def gmac(key, nonce, *parts):
    """GMAC(key, nonce, M) of the page: the tag of an empty text with M as additional data."""
    return GCM.gmac(key, nonce, parts)


def hkdf(key, *info):
    """HKDF(K; info) of the page: RFC 5869, SHA-256, no salt, 32 bytes (one block)."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, b"".join(info) + b"\1", "sha256")


def sha256(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.digest()


def u32(value):
    return struct.pack(">I", value)


def u96(value):
    return bytes(8) + u32(value)


# ---------------------------------------------------------------------------------------------------------------
# Ed25519, verification. RFC 8032 section 5.1.7; no cofactor, canonical encodings only.

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)


def _ed_add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def ed_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _ed_add(result, point)
        point = _ed_add(point, point)
        scalar >>= 1
    return result


def _ed_x(y, sign):
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def ed_encode(point):
    inverse = pow(point[2], _P - 2, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | ((x & 1) << 255)).to_bytes(32, "little")


_ED_Y = 4 * pow(5, _P - 2, _P) % _P
ED_BASE = (_ed_x(_ED_Y, 0), _ED_Y, 1, _ed_x(_ED_Y, 0) * _ED_Y % _P)


def ed25519_verify(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    number = int.from_bytes(public, "little")
    y = number & ((1 << 255) - 1)
    x = _ed_x(y, number >> 255)
    s = int.from_bytes(signature[32:], "little")
    if x is None or s >= _L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    minus = (_P - x if x else 0, y, 1, (_P - x) * y % _P)
    return ed_encode(_ed_add(ed_multiply(s, ED_BASE), ed_multiply(h, minus))) == signature[:32]


# ---------------------------------------------------------------------------------------------------------------
# ML-DSA-65, verification. NIST FIPS 204, algorithms 3 and 8, pure mode with a context string.

Q = 8380417
ML_K, ML_L, GAMMA1, GAMMA2, TAU, BETA, OMEGA, C_BYTES = 6, 5, 1 << 19, (Q - 1) // 32, 49, 196, 55, 48
_ZETAS = [pow(1753, int("{:08b}".format(i)[::-1], 2), Q) for i in range(256)]
_N_INVERSE = pow(256, Q - 2, Q)


def ntt(w):
    """FIPS 204 algorithm 41."""
    w, m, length = list(w), 0, 128
    while length:
        for start in range(0, 256, 2 * length):
            m += 1
            z = _ZETAS[m]
            low = w[start : start + length]
            high = [z * v % Q for v in w[start + length : start + 2 * length]]
            w[start : start + length] = [a + b for a, b in zip(low, high)]
            w[start + length : start + 2 * length] = [a - b for a, b in zip(low, high)]
        length >>= 1
    return [v % Q for v in w]


def ntt_inverse(w):
    """FIPS 204 algorithm 42."""
    w, m, length = list(w), 256, 1
    while length < 256:
        for start in range(0, 256, 2 * length):
            m -= 1
            z = Q - _ZETAS[m]
            low, high = w[start : start + length], w[start + length : start + 2 * length]
            w[start : start + length] = [(a + b) % Q for a, b in zip(low, high)]
            w[start + length : start + 2 * length] = [z * (a - b) % Q for a, b in zip(low, high)]
        length <<= 1
    return [v * _N_INVERSE % Q for v in w]


def _expand_poly(seed):
    """FIPS 204 algorithm 30, RejNTTPoly."""
    length = 1008
    while True:
        stream = hashlib.shake_128(seed).digest(length)
        out = []
        for i in range(0, length - 2, 3):
            value = stream[i] | stream[i + 1] << 8 | (stream[i + 2] & 0x7F) << 16
            if value < Q:
                out.append(value)
                if len(out) == 256:
                    return out
        length *= 2


@functools.lru_cache(maxsize=8)
def expand_matrix(rho):
    """FIPS 204 algorithm 32, ExpandA."""
    return [[_expand_poly(rho + bytes([s, r])) for s in range(ML_L)] for r in range(ML_K)]


def sample_in_ball(seed):
    """FIPS 204 algorithm 29."""
    stream = hashlib.shake_256(seed).digest(1024)
    signs, at = int.from_bytes(stream[:8], "little"), 8
    c = [0] * 256
    for i in range(256 - TAU, 256):
        while stream[at] > i:
            at += 1
        j = stream[at]
        at += 1
        c[i] = c[j]
        c[j] = Q - 1 if signs & 1 else 1
        signs >>= 1
    return c


def unpack_bits(data, bits):
    number, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    return [(number >> at) & mask for at in range(0, 256 * bits, bits)]


def pack_bits(values, bits):
    number = 0
    for value in reversed(values):
        number = number << bits | value
    return number.to_bytes(32 * bits, "little")


def decompose(r):
    """FIPS 204 algorithm 36: r = r1 * 2*gamma2 + r0."""
    r0 = r % (2 * GAMMA2)
    if r0 > GAMMA2:
        r0 -= 2 * GAMMA2
    return (0, r0 - 1) if r - r0 == Q - 1 else ((r - r0) // (2 * GAMMA2), r0)


def _unpack_hints(data):
    """FIPS 204 algorithm 21; None when the encoding is not canonical."""
    hints, index = [set() for _ in range(ML_K)], 0
    for i in range(ML_K):
        end = data[OMEGA + i]
        if end < index or end > OMEGA:
            return None
        positions = data[index:end]
        if any(a >= b for a, b in zip(positions, positions[1:])):
            return None
        hints[i] = set(positions)
        index = end
    return None if any(data[index:OMEGA]) else hints


@functools.lru_cache(maxsize=8)
def _public_polys(public):
    return [ntt([v << 13 for v in unpack_bits(public[32 + 320 * i : 352 + 320 * i], 10)]) for i in range(ML_K)]


def mldsa65_verify(public, message, signature, context=b""):
    if len(public) != 1952 or len(signature) != 3309 or len(context) > 255:
        return False
    seed, hints = signature[:C_BYTES], _unpack_hints(signature[C_BYTES + 640 * ML_L :])
    z = [
        [GAMMA1 - v for v in unpack_bits(signature[C_BYTES + 640 * i : C_BYTES + 640 * (i + 1)], 20)]
        for i in range(ML_L)
    ]
    if hints is None or any(abs(v) >= GAMMA1 - BETA for poly in z for v in poly):
        return False
    tr = hashlib.shake_256(public).digest(64)
    mu = hashlib.shake_256(tr + bytes([0, len(context)]) + context + message).digest(64)
    matrix, t1 = expand_matrix(public[:32]), _public_polys(public)
    c, z = ntt(sample_in_ball(seed)), [ntt(poly) for poly in z]
    encoded = []
    for r in range(ML_K):
        row = [-a * b for a, b in zip(c, t1[r])]
        for s in range(ML_L):
            row = [w + a * b for w, a, b in zip(row, matrix[r][s], z[s])]
        w1 = []
        for i, value in enumerate(ntt_inverse([v % Q for v in row])):
            r1, r0 = decompose(value)
            if i in hints[r]:  # UseHint, algorithm 40
                r1 = (r1 + 1) % 16 if r0 > 0 else (r1 - 1) % 16
            w1.append(r1)
        encoded.append(pack_bits(w1, 4))
    return hmac.compare_digest(hashlib.shake_256(mu + b"".join(encoded)).digest(C_BYTES), seed)


DealerKeys = collections.namedtuple("DealerKeys", "mldsa65 ed25519")


def fingerprint(keys):
    """SHA-256 of raw ML-DSA key | raw Ed25519 key, hex, as on the recovery sheet."""
    return sha256(keys.mldsa65, keys.ed25519).hex()


@functools.lru_cache(maxsize=16)
def both_verify(keys, context, message, signature):
    """Both signatures must verify: ML-DSA-65 pure with `context`, Ed25519 pure."""
    return ed25519_verify(keys.ed25519, message, signature.ed25519) and mldsa65_verify(
        keys.mldsa65, message, signature.mldsa65, context
    )


# ---------------------------------------------------------------------------------------------------------------
# RFC 8785 (JCS). "a stored JSON that is not its own RFC 8785 form is refused".


def _number_text(value):
    """ECMAScript Number::toString, as RFC 8785 section 3.2.2.3 asks."""
    if value != value or value in (math.inf, -math.inf):
        raise Damaged("a number that JSON cannot hold")
    if value == 0:
        return "0"
    sign, mantissa = ("-", repr(-value)) if value < 0 else ("", repr(value))
    digits, _, exponent = mantissa.partition("e")
    whole, _, part = digits.partition(".")
    part = "" if part == "0" else part
    point = len(whole) + (int(exponent) if exponent else 0)
    digits = (whole + part).lstrip("0")
    point -= len(whole + part) - len(digits)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = ("+" if point > 0 else "-") + str(abs(point - 1))
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + "e" + power


def _jcs(value, depth):
    if depth > JSON_DEPTH_MAX:
        raise Damaged("JSON nested too deep")
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        if abs(value) >= 1 << 53:
            raise Damaged("an integer beyond 2^53")
        return str(value)
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, list):
        return "[" + ",".join(_jcs(item, depth + 1) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(_jcs(name, depth) + ":" + _jcs(value[name], depth + 1) for name in names) + "}"


def jcs(value):
    return _jcs(value, 0).encode("utf-8")


def _no_duplicates(pairs):
    out = dict(pairs)
    if len(out) != len(pairs):
        raise Damaged("a JSON member stands twice")
    return out


def parse_jcs(data, what):
    """The JSON object in `data`, refused when the bytes are not its RFC 8785 form."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_no_duplicates)
        same = isinstance(value, dict) and jcs(value) == data
    except (ValueError, RecursionError, UnicodeError):
        raise Damaged(what + " is not JSON")
    if not same:
        raise Damaged(what + " is not a JSON object in RFC 8785 form")
    return value


HEX32 = re.compile(r"[0-9a-f]{32}\Z")
HEX64 = re.compile(r"[0-9a-f]{64}\Z")


def member(value, name, kind, what):
    """Member `name` of a parsed object: str, int (not negative), list, dict, or a pattern of text."""
    found = value.get(name)
    if kind is int:
        good = type(found) is int and found >= 0
    elif isinstance(kind, type):
        good = isinstance(found, kind)
    else:
        good = isinstance(found, str) and kind.match(found)
    if not good:
        raise Damaged("%s: member %s is missing or wrong" % (what, name))
    return found


def raw_base64(text, lengths, what):
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, UnicodeError, binascii.Error, AttributeError):
        raw = b""
    if len(raw) not in lengths or base64.b64encode(raw).decode() != text:
        raise Damaged(what + " is not base64 of the right length")
    return raw


def parse_pair(value, lengths, what):
    """{mldsa65, ed25519} in standard base64, as keys and as signatures."""
    if not isinstance(value, dict):
        raise Damaged(what + " is missing")
    return DealerKeys(
        raw_base64(value.get("mldsa65"), (lengths[0],), what + ".mldsa65"),
        raw_base64(value.get("ed25519"), (lengths[1],), what + ".ed25519"),
    )


_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z\Z", re.IGNORECASE)


def time_of(text):
    """(seconds since 1970, fraction as text) of an RFC 3339 time in UTC; (0, "") when it is not one."""
    found = _TIME.match(text) if isinstance(text, str) else None
    if not found:
        return (0, "")
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    try:
        moment = datetime.datetime(year, month, day, hour, minute, min(second, 59), tzinfo=datetime.timezone.utc)
    except ValueError:
        return (0, "")
    return (int(moment.timestamp()), (found.group(7) or "").rstrip("0"))


# ---------------------------------------------------------------------------------------------------------------
# The frame of one fragment. fragment.md, "Bytes".

Common = collections.namedtuple(
    "Common", "raw suite k n chunk_log2 rng vault object deal_id version generation set_id content_id dealt_from"
)
HeadCopy = collections.namedtuple("HeadCopy", "length common flags x frag_id key_share")
Totals = collections.namedtuple("Totals", "raw padded_len m runs")


def padme(length):
    """Padme (PETS 2019): at most 12 % more, and only O(log log L) bits of the length remain visible."""
    e = length.bit_length() - 1
    low = e - e.bit_length()  # s = floor(log2 e) + 1
    return (length + (1 << low) - 1) >> low << low


def parse_common(raw):
    """COMMON at the start of `raw`; anything not written on the page is refused."""
    if len(raw) < 83:
        raise Damaged("the HEAD is cut off")
    suite, k, n, chunk_log2, rng = raw[:5]
    vault, object_id, deal_id = raw[5:21], raw[21:37], raw[37:53]
    version, generation = struct.unpack(">QI", raw[53:65])
    set_id = raw[65:81]
    ext_len = struct.unpack(">H", raw[81:83])[0]
    if suite not in (1, 2) or not 2 <= k <= n or not 16 <= chunk_log2 <= 22 or rng > 1:
        raise Damaged("the HEAD holds a value that version 1 does not know")
    if ext_len > EXT_BYTES_MAX or len(raw) < 83 + ext_len:
        raise Damaged("the HEAD is cut off")
    at, previous, dealt_from = 83, -1, None
    while at < 83 + ext_len:
        if at + 4 > 83 + ext_len:
            raise Damaged("ext does not fit")
        kind, length = struct.unpack(">HH", raw[at : at + 4])
        at += 4 + length
        if kind <= previous or at > 83 + ext_len:
            raise Damaged("ext does not fit")
        if kind % 2 == 0:
            raise Damaged("ext holds type %d, which this version does not know and must not ignore" % kind)
        if kind == DEALT_FROM and length == 16:
            dealt_from = raw[at - length : at].hex()
        previous = kind
    content = sha256(b"fragment/1 content", bytes([suite, chunk_log2]), vault, object_id, deal_id, raw[53:61])
    return Common(
        raw[: 83 + ext_len],
        suite, k, n, chunk_log2, rng, vault, object_id, deal_id, version, generation, set_id, content, dealt_from,
    )  # fmt: skip


def parse_head_copy(data):
    """HEAD at the start of `data`; it must parse exactly."""
    if len(data) < 8 or data[:4] != b"FRG1":
        raise Damaged("it does not begin like a fragment (FRG1)")
    head_len = struct.unpack(">I", data[4:8])[0]
    if head_len > HEAD_BYTES_MAX - 8 or len(data) < 8 + head_len:
        raise Damaged("the length of the HEAD is wrong")
    inside = data[8 : 8 + head_len]
    common = parse_common(inside)
    at = len(common.raw)
    share_len = 32 * common.suite
    if head_len != at + 18 + share_len:
        raise Damaged("the length of the HEAD is wrong")
    flags, x = inside[at], inside[at + 1]
    if flags > 1 or x == 0:
        raise Damaged("the HEAD holds a value that version 1 does not know")
    return HeadCopy(8 + head_len, common, flags, x, inside[at + 2 : at + 18], inside[at + 18 :])


def parse_totals(data, common):
    """TOTALS at the start of `data`."""
    if len(data) < 14:
        raise Damaged("the TOTALS are cut off")
    padded_len, m, r = struct.unpack(">QIH", data[:14])
    if len(data) < 14 + 12 * r:
        raise Damaged("the TOTALS are cut off")
    runs = [(struct.unpack(">I", data[at : at + 4])[0], data[at + 4 : at + 12]) for at in range(14, 14 + 12 * r, 12)]
    rising = all(a[0] < b[0] for a, b in zip(runs, runs[1:]))
    if r < 1 or runs[0][0] != 0 or not rising or runs[-1][0] >= m:
        raise Damaged("the runs in the TOTALS are wrong")
    if padded_len < 1024 or padme(padded_len) != padded_len or m != -(-padded_len >> common.chunk_log2):
        raise Damaged("the lengths in the TOTALS are wrong")
    return Totals(data[: 14 + 12 * r], padded_len, m, runs)


def chunk_len(common, totals, j):
    return totals.padded_len - (j << common.chunk_log2) if j == totals.m - 1 else 1 << common.chunk_log2


def body_len(common, length):
    """suite 1: S_j | tag_j; suite 2: a k-th of C_j, rounded up."""
    return length + 16 if common.suite == 1 else -(-(length + 16) // common.k)


class Candidate:
    """One fragment under one of its HEAD copies. Its trailer is as this copy says; lengths add up to the file."""

    __slots__ = ("fragment", "head", "damaged", "totals_at", "totals_len", "totals_sha", "meta_at", "meta_len", "meta_sha", "ktag", "nonce", "_meta")

    def __init__(self, fragment, head, damaged, trailer, trailer_at):
        common = head.common
        at = head.length
        totals = parse_totals(trailer[at : at + 14 + 12 * 65535], common)
        self.fragment, self.head, self.damaged = fragment, head, damaged
        self.totals_at, self.totals_len, self.totals_sha = trailer_at + at, len(totals.raw), sha256(totals.raw)
        at += len(totals.raw)
        self.meta_at, self.meta_len = trailer_at + at, len(trailer) - at - 96
        if not 512 <= self.meta_len - 16 <= META_BYTES_MAX or (self.meta_len - 16) % 512:
            raise Damaged("the length of the META share is wrong")
        full = 24 + body_len(common, 1 << common.chunk_log2)
        last = 24 + body_len(common, chunk_len(common, totals, totals.m - 1))
        if head.length + (totals.m - 1) * full + last + len(trailer) + 8 != fragment.size:
            raise Damaged("the lengths do not add up to the size of the file")
        self.meta_sha = sha256(trailer[at : at + self.meta_len])
        self.ktag, self.nonce = trailer[-96:-64], trailer[-64:]
        if head.flags and any(self.ktag):
            raise Damaged("it is flagged unproven and yet carries a ktag")
        self._meta = None

    x = property(lambda self: self.head.x)
    unproven = property(lambda self: bool(self.head.flags))
    location = property(lambda self: self.fragment.location)

    def totals(self):
        """TOTALS, read again: there may be very many fragments, and a set is looked at one by one."""
        raw = self.fragment.read(self.totals_at, self.totals_len)
        if sha256(raw) != self.totals_sha:
            raise Damaged("the file changes while it is read")
        return parse_totals(raw, self.head.common)

    def meta_share(self):
        if self._meta is None:
            self._meta = self.fragment.read(self.meta_at, self.meta_len)
        return self._meta

    def release(self):
        self._meta = None

    def manifest(self):
        """What ktag is about; None when the file cannot be read any more."""
        head = self.head
        try:
            totals = self.totals().raw
        except (OSError, Damaged):
            return None
        return b"".join(
            (b"fragment/1 manifest", head.common.raw, bytes([head.flags, head.x]), head.frag_id, totals, sha256(head.key_share),
             self.meta_sha, self.nonce)
        )  # fmt: skip

    def ktag_right(self, km, manifest):
        """ktag of the page; never right for an unproven fragment."""
        return not self.unproven and manifest is not None and hmac.compare_digest(hmac.digest(km, manifest, "sha256"), self.ktag)

    def record(self, j, totals):
        """(runSalt, body, ftag) of record j."""
        common = self.head.common
        full = 24 + body_len(common, 1 << common.chunk_log2)
        data = self.fragment.read(self.head.length + j * full, 24 + body_len(common, chunk_len(common, totals, j)))
        return data[:8], data[8:-16], data[-16:]


class Fragment:
    """One file at one location that is named or ends like a fragment."""

    __slots__ = ("location", "name", "source", "size", "candidates", "stands")

    def __init__(self, location, name, source):
        self.location, self.name, self.source, self.size = location, name, source, source.size
        self.stands = None
        self.candidates = self._frame()

    def read(self, at, length):
        return self.source.read(at, length)

    def _frame(self):
        """"read tail first": the trailer from the end of the file, then every HEAD copy that parses is tried."""
        if self.size < 8:
            raise Damaged("the file is too short to be a fragment")
        tail = self.read(self.size - 8, 8)
        if tail[4:] != b"1GRF":
            raise Damaged("it does not end like a fragment: cut off, or an upload that did not finish")
        trailer_len = struct.unpack(">I", tail[:4])[0]
        if trailer_len > min(TRAILER_BYTES_MAX, self.size - 8) or trailer_len < 96:
            raise Damaged("the length of its trailer is wrong")
        trailer_at = self.size - 8 - trailer_len
        trailer = self.read(trailer_at, trailer_len)
        copies, why = [], None
        front = self.read(0, min(HEAD_BYTES_MAX, trailer_at))
        for data, other in ((front, "trailer"), (trailer[:HEAD_BYTES_MAX], "front")):
            try:
                copies.append((parse_head_copy(data), other))
            except Damaged as error:
                why = why or error
        if len(copies) == 2 and copies[0][0] == copies[1][0]:
            copies = [(copies[0][0], None)]
        out = []
        for head, damaged in copies:
            try:
                out.append(Candidate(self, head, damaged, trailer, trailer_at))
            except Damaged as error:
                why = error
        if not out:
            raise why
        return out


# ---------------------------------------------------------------------------------------------------------------
# Sets of fragments and their key. fragment.md, "What each part is for" and "The liar must not choose k".


def quorums(candidates, k):
    """k-subsets at distinct locations with distinct x, in order. A location counts once whatever x it claims."""
    chosen, places, xs = [], set(), set()

    def grow(start):
        if len(chosen) == k:
            yield tuple(chosen)
            return
        for i in range(start, len(candidates) - (k - len(chosen)) + 1):
            one = candidates[i]
            if one.location in places or one.x in xs:
                continue
            chosen.append(one)
            places.add(one.location)
            xs.add(one.x)
            for subset in grow(i + 1):
                yield subset
            chosen.pop()
            places.discard(one.location)
            xs.discard(one.x)

    return grow(0)


def enough(candidates, k):
    return len({c.location for c in candidates}) >= k and len({c.x for c in candidates}) >= k


def combine_key_shares(subset):
    return combine([c.x for c in subset], [c.head.key_share for c in subset])


class Set:
    """The fragments with one COMMON: one dealing in one generation."""

    def __init__(self, common):
        self.common = common
        self.k = common.k
        self.candidates = []
        self.ignored = 0
        self.key = None  # K, once it counts
        self.usable = []  # candidates that verified (first) or are unproven, with the TOTALS that k locations agree on
        self.failed = []  # candidates that do not verify under K
        self.apart = []  # candidates under K whose TOTALS differ
        self.conflict = None
        self.totals = None
        self.limited = False
        self._resolved = False

    def add(self, candidate):
        same = [c for c in self.candidates if c.location is candidate.location]
        if len(same) >= COPIES_PER_LOCATION_MAX:
            self.ignored += 1
        else:
            self.candidates.append(candidate)

    @property
    def deal(self):
        c = self.common
        return c.object.hex(), c.version, c.deal_id.hex()

    def fragments(self):
        return list(collections.OrderedDict((id(c.fragment), c.fragment) for c in self.candidates).values())

    # K by search over k-subsets of key shares.

    def _search(self, pool):
        """K such that a whole k-subset verifies under it. With honest key shares at k locations this finds it:
        ktag covers the key share, so the k that verify are themselves such a subset."""
        if not enough(pool, self.k):
            return None
        manifests = {id(c): c.manifest() for c in pool}
        for tries, subset in enumerate(quorums(pool, self.k)):
            if tries >= KEY_TRIES_MAX:
                self.limited = True
                return None
            key = combine_key_shares(subset)[:32]
            km = hkdf(key, b"manifest")
            if all(c.ktag_right(km, manifests[id(c)]) for c in subset):
                return key
        return None

    def _search_by_meta(self, pool):
        """"for a set with fewer than k proven fragments K counts when META's tag verifies under it with the META
        shares of the same k-subset"."""
        if not enough(pool, self.k):
            return None
        tries = 0
        manifests = {id(c): c.manifest() for c in pool}
        for subset in quorums(pool, self.k):
            if not any(c.unproven for c in subset) or len({(c.meta_len, c.totals_sha) for c in subset}) > 1:
                continue
            tries += 1
            if tries > META_KEY_TRIES_MAX:
                self.limited = True
                return None
            key = combine_key_shares(subset)[:32]
            km = hkdf(key, b"manifest")
            if all(c.unproven or c.ktag_right(km, manifests[id(c)]) for c in subset):
                try:
                    if self._meta_under(key, subset) is not None:
                        return key
                except (OSError, Damaged):
                    continue
        return None

    def resolve(self):
        """Find K and say which fragments are as dealt. Afterwards key is None when the set is incomplete."""
        if self._resolved:
            return self
        self._resolved = True
        proven = [c for c in self.candidates if not c.unproven]
        unproven = [c for c in self.candidates if c.unproven]
        key = self._search(proven)
        if key is None and unproven:
            key = self._search_by_meta(proven + unproven)
        if key is None:
            return self
        km = hkdf(key, b"manifest")
        verified, seen = [], set()
        for c in proven:
            if c.ktag_right(km, c.manifest()):
                if id(c.fragment) not in seen:
                    verified.append(c)
                    seen.add(id(c.fragment))
            else:
                self.failed.append(c)
        rest = [c for c in self.failed if id(c.fragment) not in seen]
        if self._search(rest) is not None:
            self.conflict = "two keys under one header, each verified at k locations"
        # "TOTALS ... identical in all fragments of a set: >= k locations must agree, two such groups are a conflict"
        groups = collections.OrderedDict()
        for c in verified + unproven:
            groups.setdefault(c.totals_sha, []).append(c)
        strong = [group for group in groups.values() if enough(group, self.k)]
        if len(strong) > 1:
            self.conflict = "two accounts of its length and runs, each at k locations"
        self.key = key
        for c in strong[0] if strong and not self.conflict else ():
            try:
                self.totals = c.totals()
                self.usable = strong[0]
                break
            except (OSError, Damaged):
                continue
        if self.usable:
            self.apart = [c for group in groups.values() if group is not strong[0] for c in group]
        for c in verified:
            c.fragment.stands = c
        for c in self.usable:
            if c.fragment.stands is None:
                c.fragment.stands = c
        return self

    # META

    def _meta_under(self, key, subset):
        """META of this subset when its tag verifies under `key`, else None."""
        both = combine([c.x for c in subset], [c.meta_share() for c in subset])
        meta, tag = both[:-16], both[-16:]
        kt = hkdf(key, b"chunk", self.common.content_id)
        right = gmac(kt, b"\xff" * 12, self.common.content_id, meta)
        return meta if hmac.compare_digest(right, tag) else None

    def meta(self):
        """META of the set, parsed. Raises Unreadable, Damaged."""
        try:
            return parse_meta(self._meta_bytes(), self.totals)
        finally:
            for c in self.candidates:
                c.release()

    def _meta_bytes(self):
        if self.conflict:
            raise Unreadable(self.conflict)
        if not self.usable:
            raise Unreadable("fewer than %d locations agree about its length and runs" % self.k)
        lengths = collections.OrderedDict()
        for c in self.usable:
            lengths.setdefault(c.meta_len, []).append(c)
        for pool in lengths.values():
            for subset in itertools.islice(quorums(pool, self.k), RECORD_TRIES_MAX):
                try:
                    meta = self._meta_under(self.key, subset)
                except (OSError, Damaged):
                    continue
                if meta is not None:
                    return meta
        raise Unreadable("its META cannot be put together from any %d locations" % self.k)


Meta = collections.namedtuple("Meta", "json value path type created modified size sha256")


def parse_meta(data, totals):
    """META = u32 len | JSON | zeros, the whole the smallest multiple of 512. fragment.md, "Bytes"."""
    length = struct.unpack(">I", data[:4])[0]
    if len(data) != max(512, -(-(4 + length) // 512) * 512) or any(data[4 + length :]):
        raise Damaged("META is not padded as it must be")
    value = parse_jcs(data[4 : 4 + length], "META")
    if value.get("v") != 1:
        raise Damaged("META is of a version that this program does not know")
    size = member(value, "size", int, "META")
    digest = member(value, "sha256", HEX64, "META")
    if padme(max(size, 1024)) != totals.padded_len:
        raise Damaged("the size in META does not fit the length of the fragments")
    text = {name: value.get(name) if isinstance(value.get(name), str) else "" for name in ("type", "created", "modified")}
    path = member(value, "path", str, "META")
    return Meta(data[4 : 4 + length], value, path, text["type"], text["created"], text["modified"], size, bytes.fromhex(digest))


def meta_signature_right(meta, common, keys):
    """signed: "fragment/1 meta" | contentId | SHA256(data) raw | RFC 8785 of the object without `signature`."""
    try:
        signature = parse_pair(meta.value.get("signature"), (3309, 64), "the signature")
    except Damaged:
        return False
    unsigned = {name: value for name, value in meta.value.items() if name != "signature"}
    message = b"fragment/1 meta" + common.content_id + meta.sha256 + jcs(unsigned)
    return both_verify(keys, b"fragment/1 meta", message, signature)


# ---------------------------------------------------------------------------------------------------------------
# Reading the data of one set, chunk by chunk. fragment.md, "Bytes", "What each part is for", "Reading".


class Reader:
    """Reads the chunks of a resolved set. `blame(candidate, why)` is called once for every bad record seen."""

    def __init__(self, one_set, blame, every_location=True):
        self.set, self.blame, self.every_location = one_set, blame, every_location
        common = one_set.common
        self.common, self.totals = common, one_set.totals
        self.kt = hkdf(one_set.key, b"chunk", common.content_id)
        self.kx = {
            id(c): hkdf(one_set.key, b"fragment", common.set_id, u32(common.generation), bytes([c.x]), c.head.frag_id)
            for c in one_set.usable
        }
        self.used = collections.OrderedDict()
        self._f = None
        self._run = 0
        self._sealing = (None, None)

    def chunks(self):
        for j in range(self.totals.m):
            yield self.chunk(j)

    def _salt(self, j):
        runs = self.totals.runs
        if j < runs[self._run][0]:
            self._run = 0
        while self._run + 1 < len(runs) and runs[self._run + 1][0] <= j:
            self._run += 1
        return runs[self._run][1]

    def _records(self, j, salt, last):
        """Bodies of record j: those whose ftag is right, and those of unproven fragments."""
        good, unsure = [], []
        for c in self.set.usable:
            if not self.every_location and enough(good, self.set.k):
                break
            try:
                found, body, ftag = c.record(j, self.totals)
            except (OSError, Damaged) as error:
                self.blame(c, "record %d cannot be read (%s)" % (j, error))
                continue
            c_body = Body(c, body)
            if c.unproven:
                if found != salt or any(ftag):
                    self.blame(c, "record %d is not as an unproven fragment must be" % j)
                else:
                    unsure.append(c_body)
            elif found != salt:
                self.blame(c, "record %d belongs to another run of the writer" % j)
            elif not hmac.compare_digest(gmac(self.kx[id(c)], salt + u32(j), u32(j), last, body), ftag):
                self.blame(c, "record %d is damaged" % j)
            else:
                good.append(c_body)
        return good, unsure

    def chunk(self, j):
        """S_j, verified by tag_j (suite 2: by its GCM tag). Raises Unreadable."""
        salt, last = self._salt(j), bytes([j == self.totals.m - 1])
        good, unsure = self._records(j, salt, last)
        k = self.set.k
        if not enough(good + unsure, k):
            places = len({b.location for b in good + unsure})
            raise Unreadable("record %d can be read at %d of the %d locations that are needed" % (j, places, k))
        for subset in itertools.islice(quorums(good + unsure, k), RECORD_TRIES_MAX):
            text = self._join(j, salt, last, subset)
            if text is not None:
                for b in subset:
                    self.used[id(b.candidate)] = b.candidate
                self._compare(j, subset, unsure)
                return text
        raise Unreadable("record %d is as kept at every location, and yet does not verify: nobody is blamed" % j)

    def _compare(self, j, subset, unsure):
        """"blame by subset search on tag_j": what an unproven fragment should hold follows from a right subset."""
        inside = {id(b) for b in subset}
        for b in unsure:
            if id(b) not in inside:
                if combine([s.x for s in subset], [s.body for s in subset], b.x) != b.body:
                    self.blame(b.candidate, "record %d does not lie on the polynomial of the others" % j)

    def _join(self, j, salt, last, subset):
        xs, bodies = [b.x for b in subset], [b.body for b in subset]
        content = self.common.content_id
        if self.common.suite == 1:
            both = combine(xs, bodies)
            text, tag = both[:-16], both[-16:]
            return text if hmac.compare_digest(gmac(self.kt, u96(j), content, u32(j), last, text), tag) else None
        # suite 2: D_1..D_k are the values at 1..k; together they are C_j and zeros.
        pieces = []
        for i in range(1, self.set.k + 1):
            pieces.append(bodies[xs.index(i)] if i in xs else combine(xs, bodies, i))
        joined = b"".join(pieces)
        length = chunk_len(self.common, self.totals, j) + 16
        if any(joined[length:]):
            return None
        for f in self._fs():
            if self._sealing[0] != (f, salt, j >> 16):
                self._sealing = ((f, salt, j >> 16), hkdf(f, b"sealed", content, salt, u32(j >> 16)))
            text = GCM.open(self._sealing[1], u96(j), content + u32(j) + last, joined[:length])
            if text is not None:
                self._f = [f]
                return text
        return None

    def _fs(self):
        """F from k key shares. All subsets give the same one unless somebody who held K altered his share."""
        if self._f is None:
            out = collections.OrderedDict()
            for subset in itertools.islice(quorums(self.set.usable, self.set.k), 256):
                out[combine_key_shares(subset)[32:]] = None
            self._f = list(out)
        return self._f

    def copy_to(self, write, meta):
        """Write the data, checked chunk by chunk, then against META. The caller drops the file on Unreadable."""
        left, digest = meta.size, hashlib.sha256()
        for text in self.chunks():
            part = text[:left]
            if any(text[len(part) :]):
                raise Unreadable("the padding behind the data is not zero")
            left -= len(part)
            digest.update(part)
            write(part)
        if left or digest.digest() != meta.sha256:
            raise Unreadable("the data differ from the SHA-256 that the dealer wrote down")


class Body:
    __slots__ = ("candidate", "body", "x", "location")

    def __init__(self, candidate, body):
        self.candidate, self.body = candidate, body
        self.x, self.location = candidate.x, candidate.location


# ---------------------------------------------------------------------------------------------------------------
# Locations. vault.md, "Names at a location". Nothing here follows a symbolic link or opens anything but a file.


class FileSource:
    """Ranged reads of one file; few handles are open at a time."""

    _open = collections.OrderedDict()

    def __init__(self, path):
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise Damaged("it is not a plain file")
        self.path, self.size = path, found.st_size

    def read(self, at, length):
        handle = FileSource._open.pop(self.path, None)
        if handle is None:
            flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            handle = os.fdopen(os.open(self.path, flags), "rb", buffering=0)
        FileSource._open[self.path] = handle
        if len(FileSource._open) > 100:
            FileSource._open.popitem(last=False)[1].close()
        handle.seek(at)
        parts, left = [], length
        while left:
            part = handle.read(left)
            if not part:
                raise Damaged("the file ends early")
            parts.append(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @staticmethod
    def close_all():
        while FileSource._open:
            FileSource._open.popitem()[1].close()


class BytesSource:
    """The same over bytes in memory."""

    def __init__(self, data):
        self.data, self.size = data, len(data)

    def read(self, at, length):
        if at + length > self.size:
            raise Damaged("the file ends early")
        return self.data[at : at + length]


class Location:
    """One place outside our trust: everything that was named together on the command line."""

    def __init__(self, label):
        self.label = label
        self.sources = []  # (name, source) of what is named like a fragment
        self.heads = []  # (vault hex, epoch, name, source)
        self.markers = []
        self.ignored = 0
        self.errors = []  # (name, why): what this computer could not read


_FRAGMENT_NAME = re.compile(r"[0-9a-f]{32}\Z")
_EPOCH_NAME = re.compile(r"[0-9a-f]{16}\Z")


def walk(root, errors):
    """Relative names (tuples) of all plain files below `root`, sorted; hidden names and links are left out."""
    pending = [()]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(os.path.join(root, *folder)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            errors.append(("/".join(folder) or ".", "the folder cannot be read: %s" % error))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if len(folder) < FOLDER_DEPTH_MAX:
                    pending.append(folder + (entry.name,))
            elif entry.is_file(follow_symlinks=False):
                yield folder + (entry.name,)


def add_folder(location, root):
    for name in walk(root, location.errors):
        try:
            _add_file(location, name, os.path.join(root, *name))
        except (OSError, Damaged) as error:
            location.errors.append(("/".join(name), str(error)))


def _add_file(location, name, path):
    if len(name) >= 2 and _FRAGMENT_NAME.match(name[-1]) and name[-2] == name[-1][:2] or name[-1].endswith(".frg"):
        location.sources.append(("/".join(name), FileSource(path)))
    elif len(name) >= 3 and name[-3] == "head" and HEX32.match(name[-2]) and _EPOCH_NAME.match(name[-1]):
        location.heads.append((name[-2], int(name[-1], 16), "/".join(name), FileSource(path)))
    elif name[-1] == "location.json":
        location.markers.append(marker(path))
    else:
        location.ignored += 1


def marker(path):
    """(vault, location) of location.json, or None."""
    try:
        source = FileSource(path)
        value = parse_jcs(source.read(0, min(source.size, 4096)), "location.json")
        return member(value, "vault", HEX32, "location.json"), member(value, "location", HEX32, "location.json")
    except (Damaged, OSError):
        return None


def find_locations(groups, separate=False):
    """`groups`: lists of paths; what is named together is one location. A path given twice counts once."""
    locations, seen = [], set()
    for group in groups:
        location = Location(group[0].rstrip("/" + os.sep) or group[0])
        for path in group:
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            if os.path.isdir(real):
                add_folder(location, real)
            else:
                location.sources.append((os.path.basename(path), FileSource(real)))
        locations.append(location)
    if separate:
        locations = list(itertools.chain.from_iterable(map(_split, locations)))
    return locations


def _split(location):
    """Every fragment file of `location` as a location of its own; heads stay with the first."""
    out = []
    for name, source in location.sources or [None]:
        one = Location(location.label)
        one.sources = [(name, source)]
        out.append(one)
    out[0].heads, out[0].markers = location.heads, location.markers
    return out


# ---------------------------------------------------------------------------------------------------------------
# Vault heads. vault.md, "Head"; fragment.md, "Vault head".

Ref = collections.namedtuple("Ref", "object version deal_id sequence")


def parse_ref(value, what):
    if not isinstance(value, dict):
        raise Damaged(what + " is not a reference")
    return Ref(
        member(value, "object", HEX32, what),
        member(value, "version", int, what),
        member(value, "dealId", HEX32, what),
        member(value, "sequence", int, what),
    )


class VaultHead:
    """One head, its signatures verified under the keys it names itself: valid, and not yet trusted."""

    def __init__(self, raw, vault, epoch):
        value = parse_jcs(raw, "the head")
        if value.get("v") != 1 or value.get("vault") != vault or value.get("epoch") != epoch:
            raise Damaged("the head does not belong under its name")
        self.raw, self.sha, self.vault, self.epoch = raw, sha256(raw).hex(), vault, epoch
        self.k, self.n = member(value, "k", int, "the head"), member(value, "n", int, "the head")
        if not 2 <= self.k <= self.n <= 255:
            raise Damaged("the head: k and n are wrong")
        self.layout = value.get("layout")
        rows = member(value, "locations", list, "the head")
        self.locations = [row.get("id") for row in rows if isinstance(row, dict)]
        catalogue = value.get("catalogue")
        self.catalogue = None if catalogue is None else parse_ref(catalogue, "the head: catalogue")
        self.segments = [parse_ref(row, "the head: segments") for row in member(value, "segments", list, "the head")]
        self.previous = value.get("previous")
        self.created = value.get("created")
        self.keys = parse_pair(value.get("dealer"), (1952, 32), "the head: dealer")
        former = member(value, "formerDealers", list, "the head") if "formerDealers" in value else []
        self.former = [parse_pair(row, (1952, 32), "the head: formerDealers") for row in former]
        self.root_keys = parse_pair(value.get("root"), (1952, 32), "the head: root") if "root" in value else self.keys
        rows = member(value, "writers", list, "the head") if "writers" in value else []
        self.writers = [parse_certificate(row) for row in rows]
        rows = member(value, "revoked", list, "the head") if "revoked" in value else []
        self.revoked = [parse_revocation(row) for row in rows]
        signature = parse_pair(value.get("signature"), (3309, 64), "the head: signature")
        unsigned = {name: item for name, item in value.items() if name != "signature"}
        if not both_verify(self.keys, b"fragment/1 head", b"fragment/1 head" + jcs(unsigned), signature):
            raise Damaged("the signatures of the head do not verify")
        self.signer = fingerprint(self.keys)
        self.dealer = fingerprint(self.root_keys)  # of the recovery sheet, whoever of the writers signed
        self.places = []


# Writers. vault.md, "Writers".

Certificate = collections.namedtuple("Certificate", "print keys body by signature")
Revocation = collections.namedtuple("Revocation", "print body by signature")


def parse_certificate(row):
    if not isinstance(row, dict):
        raise Damaged("the head: writers")
    keys = parse_pair(row.get("keys"), (1952, 32), "the head: writers")
    body = {name: member(row, name, str, "the head: writers") for name in ("name", "role", "by")}
    body["keys"] = row["keys"]
    return Certificate(fingerprint(keys), keys, body, body["by"], parse_pair(row.get("signature"), (3309, 64), "the head: writers"))


def parse_revocation(row):
    if not isinstance(row, dict):
        raise Damaged("the head: revoked")
    body = {name: member(row, name, str, "the head: revoked") for name in ("writer", "by")}
    return Revocation(body["writer"], body, body["by"], parse_pair(row.get("signature"), (3309, 64), "the head: revoked"))


def writer_roll(vault, root, certificates, revocations):
    """(those who may write, those who might once), keys by fingerprint: from the dealer down, whoever holds a
    certificate of somebody who may, and was not revoked by somebody above."""
    first = fingerprint(root)
    known, by = collections.OrderedDict([(first, root)]), {first: set()}

    def above(name):
        seen, waiting = set(), list(by.get(name, ()))
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting.extend(by[at])
        return seen

    def signed(keys, context, body, signature):
        return both_verify(keys, context, context + jcs(dict(body, vault=vault)), signature)

    certificates = sorted(certificates, key=lambda one: one.print + one.by)
    found = True
    while found:
        found = False
        for one in certificates:
            if one.by not in known or one.print in (first, one.by) or one.by in by.get(one.print, ()) or one.print in above(one.by):
                continue
            if not signed(known[one.by], b"fragment/1 writer", one.body, one.signature):
                continue
            known[one.print] = one.keys
            by.setdefault(one.print, set()).add(one.by)
            found = True
    judged = {first: True}

    def may_write(name):  # nobody stands above himself
        if name not in judged:
            judged[name] = False
            judged[name] = any(may_write(issuer) for issuer in by[name]) and not any(
                other.print == name and other.by in above(name) and may_write(other.by)
                and signed(known[other.by], b"fragment/1 writer gone", other.body, other.signature)
                for other in revocations
            )  # fmt: skip
        return judged[name]

    active = collections.OrderedDict((name, keys) for name, keys in known.items() if may_write(name))
    return active, {name: keys for name, keys in known.items() if name not in active}


def in_office(family):
    """Heads of one dealer without those whose signer he or his writers did not certify, or revoked; and the keys."""
    certificates = [row for head in family for row in head.writers]
    revocations = [row for head in family for row in head.revoked]
    active, gone = writer_roll(family[0].vault, family[0].root_keys, certificates, revocations)
    return [head for head in family if head.signer in active], list(active.values()) + list(gone.values())


def choose_head(heads, dealer):
    """(head or None, trusted keys by fingerprint, complaint or None).

    Only a signature under keys that the reader knows makes a head worth more than its location. With the
    fingerprint of the recovery sheet that is settled. Without it, keys that know others as former (`formerDealers`
    or the chain of `previous`) and stand at k locations came after those; of the keys that none came after, those
    at the most locations are taken; of two at equally many those that stand wherever the others do and know them;
    else nobody can tell and no head is taken."""
    by_sha = {head.sha: head for head in heads}
    families, wrote = collections.OrderedDict(), {}
    for head in heads:
        families.setdefault(head.dealer, []).append(head)
    for name in list(families):
        families[name], wrote[name] = in_office(families[name])
        if not families[name]:
            del families[name]
    if dealer:
        if dealer not in families:
            complaint = "no head here is signed by the dealer with that fingerprint"
            if any(fingerprint(keys) == dealer for head in heads for keys in head.former):
                complaint += "; heads here are signed by later keys that call it a former one, as a thief's could. A newer sheet settles it"
            return None, {}, complaint if heads else None
        chosen = dealer
    else:
        places = {name: {id(p) for head in family for p in head.places} for name, family in families.items()}
        newest = {name: _newest(family) for name, family in families.items()}
        former = {}
        for name, head in newest.items():
            reached = {other.dealer for other in _chain(head, by_sha)} | {fingerprint(keys) for keys in head.former}
            former[name] = reached - {name}

        def came_after(one, other):  # k of either: a forger says a small one
            return other in former[one] and len(places[one]) >= max(newest[one].k, newest[other].k)

        last = [name for name in families if not any(came_after(n, name) and not came_after(name, n) for n in families if n != name)]
        most = max((len(places[name]) for name in last), default=0)
        best = [name for name in last if len(places[name]) == most]
        if len(best) > 1:
            later = [name for name in best if all(n == name or (n in former[name] and places[name] >= places[n]) for n in best)]
            best = later if len(later) == 1 else best
        if len(best) != 1:
            complaint = "heads signed by different dealers stand at equally many locations; --dealer decides" if best else None
            return None, {}, complaint
        chosen = best[0]
    head = _newest(families[chosen])
    keys = collections.OrderedDict((fingerprint(one), one) for one in wrote[chosen] + head.former)
    same = [other for other in families[chosen] if other.epoch == head.epoch and other.sha != head.sha]
    return head, keys, "two heads of epoch %d; the one that more places show stands, then the lower SHA-256" % head.epoch if same else None


def _newest(heads):
    return min(heads, key=lambda head: (-head.epoch, -len(head.places), head.sha))


def _chain(head, by_sha):
    """`head` and the earlier heads that it vouches for by hash."""
    out = []
    while head is not None and head not in out:
        out.append(head)
        earlier = by_sha.get(str(head.previous))
        head = earlier if earlier is not None and earlier.epoch < head.epoch else None
    return out


# ---------------------------------------------------------------------------------------------------------------
# The catalogue. vault.md, "Catalogue".

TRASH = "/.quorate-trash/"
Version = collections.namedtuple("Version", "number object version deal_id created modified")


class Catalogue:
    """State of the vault after applying a snapshot and segments line by line."""

    def __init__(self):
        self.folders = {}
        self.files = {}  # file id -> path
        self.versions = {}  # file id -> {number: Version}
        self.deals = {}  # dealId -> the line
        self.places = {}  # dealId -> [{x, location, name}]
        self.dropped = set()
        self.unknown = 0
        self.created = ""
        self.about = None  # the "vault" line
        self.locations = collections.OrderedDict()  # location id -> the "location" line

    def apply(self, line):
        kind = line.get("op")
        known = getattr(self, "_" + kind, None) if isinstance(kind, str) and kind in self.OPS else None
        if kind in self.PAST:
            return
        if known is None:
            self.unknown += 1
        else:
            known(line)

    OPS = ("folder", "deal", "file", "move", "remove", "forget", "place", "unplace", "drop", "vault", "location", "leave")
    # Names over time, where something in the trash came from, rules of keeping, grants, records of deletions, unfinished uploads: nothing to restore by.
    PAST = ("name", "history", "trash", "keep", "grant", "deletion", "upload", "upload-end")

    def _folder(self, line):
        self.folders[catalogue_path(line, "path")] = line.get("created")

    def _deal(self, line):
        deal = member(line, "dealId", HEX32, "deal")
        for name, kind in (("object", HEX32), ("version", int), ("k", int), ("size", int), ("fragments", list)):
            member(line, name, kind, "deal")
        self.deals[deal] = line
        self.dropped.discard(deal)
        self.places[deal] = [row for row in line["fragments"] if isinstance(row, dict)]

    def _file(self, line):
        file = member(line, "file", HEX32, "file")
        number = member(line, "number", int, "file")
        self.files[file] = catalogue_path(line, "path")
        self.versions.setdefault(file, {})[number] = Version(
            number,
            member(line, "object", HEX32, "file"),
            member(line, "version", int, "file"),
            member(line, "dealId", HEX32, "file"),
            line.get("created"),
            line.get("modified"),
        )

    def _move(self, line):
        source, target = catalogue_path(line, "from"), catalogue_path(line, "to")
        for file, path in self.files.items():
            if path == source or path.startswith(source + "/"):
                self.files[file] = target + path[len(source) :]
        moved = {}
        for path, created in self.folders.items():
            inside = path == source or path.startswith(source + "/")
            moved[target + path[len(source) :] if inside else path] = created
        self.folders = moved

    def _remove(self, line):
        gone = catalogue_path(line, "path")
        for file in [file for file, path in self.files.items() if path == gone or path.startswith(gone + "/")]:
            del self.files[file]
            self.versions.pop(file, None)
        for path in [path for path in self.folders if path == gone or path.startswith(gone + "/")]:
            del self.folders[path]

    def _forget(self, line):
        file = member(line, "file", HEX32, "forget")
        self.versions.get(file, {}).pop(member(line, "number", int, "forget"), None)
        if not self.versions.get(file):
            self.files.pop(file, None)
            self.versions.pop(file, None)

    def _place(self, line):
        deal = member(line, "dealId", HEX32, "place")
        rows = [r for r in self.places.get(deal, []) if r.get("x") != line.get("x") and r.get("location") != line.get("location")]
        self.places[deal] = rows + [line]

    def _unplace(self, line):
        deal = member(line, "dealId", HEX32, "unplace")
        self.places[deal] = [row for row in self.places.get(deal, []) if row.get("x") != line.get("x")]

    def _drop(self, line):
        deal = member(line, "dealId", HEX32, "drop")
        self.dropped.add(deal)
        self.deals.pop(deal, None)
        self.places.pop(deal, None)

    def _vault(self, line):
        member(line, "name", str, "vault")
        self.about = line

    def _location(self, line):
        for name in ("label", "place"):
            member(line, name, str, "location")
        self.locations[member(line, "location", HEX32, "location")] = line

    def _leave(self, line):
        self.locations.pop(member(line, "location", HEX32, "leave"), None)

    def referenced(self):
        """dealIds that some version of some file names."""
        return {version.deal_id for versions in self.versions.values() for version in versions.values()}


def catalogue_path(line, name):
    path = member(line, name, str, "a catalogue line")
    if not path.startswith("/") or path == "/":
        raise Damaged("a catalogue line: %s is not a path" % name)
    return path


def catalogue_lines(stream):
    """The objects of a catalogue text: one RFC 8785 object a line, each ended by one LF."""
    while True:
        line = stream.readline(CATALOGUE_LINE_BYTES_MAX + 1)
        if not line:
            return
        if not line.endswith(b"\n"):
            raise Damaged("a line of the catalogue is not ended")
        yield parse_jcs(line[:-1], "a line of the catalogue")


# ---------------------------------------------------------------------------------------------------------------
# Names on this computer. What stands in META or the catalogue is a wish, never a path.

_DEVICES = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\.|$)", re.IGNORECASE)
UNSAFE_FOLDER = "unsafe-names"


def safe_parts(path):
    """The names along `path` below the restored folder, or None when one of them is hostile."""
    parts = (path[1:] if path.startswith("/") else path).split("/")
    for part in parts:
        if part in ("", ".", "..") or len(part.encode("utf-8", "replace")) > 240 or part[-1] in ". ":
            return None
        if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 or c == "\\" for c in part):
            return None
        if _DEVICES.match(part.rstrip(" ")) or _DEVICES.match(part.split(".")[0].rstrip(" ")):
            return None
        if re.match(r"[A-Za-z]:", part) or (os.name == "nt" and any(c in '<>:"|?*' for c in part)):
            return None
    return parts if len(parts) <= 100 and len(path) <= 3000 else None


def _folded(name):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _numbered(name, number):
    if number == 1:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 16:
        stem, dot, extension = name, "", ""
    return "%s (%d)%s%s" % (stem, number, dot, extension)


def version_name(parts, number):
    """The name beside the current one under which an older version is restored."""
    stem, dot, extension = parts[-1].rpartition(".")
    if not stem or len(extension) > 16:
        stem, dot, extension = parts[-1], "", ""
    return parts[:-1] + ["%s~version-%d%s%s" % (stem, number, dot, extension)]


class Target:
    """The folder --out. Names that differ only in case or Unicode form get a suffix; nothing is overwritten."""

    def __init__(self, root):
        self.root = root
        self.used = {}  # (folder, folded name) -> the exact name given
        self.folders = {}  # (folder, wished name) -> the name taken

    def start(self):
        os.makedirs(self.root, mode=0o700, exist_ok=True)

    def folder(self, parts):
        """Make the folders `parts` and return the path. A link that stands there already is not entered."""
        here = self.root
        for wish in parts:
            if (here, wish) not in self.folders:
                for number in itertools.count(1):
                    name = _numbered(wish, number)
                    path = os.path.join(here, name)
                    if (here, _folded(name)) in self.used:
                        continue
                    if not os.path.lexists(path):
                        os.mkdir(path, 0o700)
                    elif os.path.islink(path) or not os.path.isdir(path):
                        continue
                    self.used[(here, _folded(name))] = name
                    self.folders[(here, wish)] = name
                    break
            here = os.path.join(here, self.folders[(here, wish)])
        return here

    def write(self, parts, fill, meta):
        """Write one file: `fill(write)` into a .part beside the target, renamed when it returned without an error.
        Returns (path, "restored" or "already there")."""
        folder = self.folder(parts[:-1])
        free = shutil.disk_usage(folder).free
        if free < meta.size:
            raise Unreadable("there is no room: %d bytes are needed, %d are free" % (meta.size, free))
        part = os.path.join(folder, ".recover-%s.part" % os.urandom(8).hex())
        try:
            with open(part, "xb") as out:
                fill(out.write)
                out.flush()
                os.fsync(out.fileno())
            moment = time_of(meta.modified)[0]
            if moment > 0:
                os.utime(part, (moment, moment))
            for number in itertools.count(1):
                name = _numbered(parts[-1], number)
                if (folder, _folded(name)) in self.used:
                    continue
                path = os.path.join(folder, name)
                if os.path.lexists(path):
                    if _same_file(path, meta):
                        self.used[(folder, _folded(name))] = name
                        return path, "already there"
                    continue
                if not _rename_new(part, path):
                    continue
                self.used[(folder, _folded(name))] = name
                return path, "restored"
        finally:
            if os.path.lexists(part):
                os.unlink(part)


def _rename_new(part, path):
    """Rename without ever replacing: by a hard link where the file system has them."""
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    except (OSError, NotImplementedError, AttributeError):
        if os.path.lexists(path):
            return False
        os.rename(part, path)
    return True


def _same_file(path, meta):
    found = os.lstat(path)
    if not stat.S_ISREG(found.st_mode) or found.st_size != meta.size:
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as existing:
        for block in iter(lambda: existing.read(1 << 20), b""):
            digest.update(block)
    return digest.digest() == meta.sha256


# ---------------------------------------------------------------------------------------------------------------
# What is said at the end.


class Report:
    """Everything that was found. Shows no share, tag, nonce, nor hash of data: rule R1 holds here too."""

    def __init__(self):
        self.files, self.folders, self.vaults, self.notes = [], [], [], []
        self._named = {kind: collections.OrderedDict() for kind in self.KINDS}
        self.problem = False
        self.nothing = False

    KINDS = ("blames", "heads", "conflict", "refused", "incomplete", "superseded", "apart", "missing", "debris")

    def name(self, kind, location, file, why):
        rows = self._named[kind].setdefault((location, file), [])
        if why not in rows:
            rows.append(why)
        if kind in ("blames", "heads", "conflict", "missing", "apart"):
            self.problem = True

    def fragment(self, kind, fragment, why):
        self.name(kind, fragment.location.label, fragment.name, why)

    def set(self, kind, one_set, why):
        for fragment in one_set.fragments():
            self.fragment(kind, fragment, why)

    def note(self, text, problem=False):
        if text not in self.notes:
            self.notes.append(text)
        self.problem = self.problem or problem

    def rows(self, kind):
        out = []
        for (location, file), why in self._named[kind].items():
            row = {"location": location, "file": file, "why": why[:5]}
            if len(why) > 5:
                row["more"] = len(why) - 5
            if kind == "heads":
                row["damaged"] = why[0]
            out.append(row)
        return out

    def code(self):
        done = [row for row in self.files if row["state"] in ("restored", "already there", "listed")]
        lost = [row for row in self.files if row["state"] in ("failed", "conflict")]
        if not done and (lost or self.nothing or not any(vault.get("catalogue") for vault in self.vaults)):
            return 2
        return 3 if lost or self.problem else 0

    def json(self):
        out = {"exit": self.code(), "ok": self.code() == 0, "vaults": self.vaults, "files": self.files, "folders": self.folders}
        for kind in self.KINDS:
            out[kind] = self.rows(kind)
        out["notes"] = self.notes
        return out


def shown(text):
    """Text from a location, safe for a terminal."""
    return "".join(c if c.isprintable() else "\\u{%x}" % ord(c) for c in str(text))


# ---------------------------------------------------------------------------------------------------------------
# One vault. vault.md, "Restoring with nothing but k locations".


class Vault:
    """The sets, heads and wishes that concern one vault id."""

    def __init__(self, vault, sets, heads, options, report, target):
        self.vault, self.sets, self.options, self.report, self.target = vault, sets, options, report, target
        self.by_deal = collections.OrderedDict()
        for one_set in sets:
            self.by_deal.setdefault(one_set.deal, []).append(one_set)
        for rows in self.by_deal.values():
            rows.sort(key=lambda s: -s.common.generation)
        self.heads = heads
        self.head, self.keys = None, collections.OrderedDict()
        self.catalogue = None
        self.spent = set()  # ids of sets already spoken about
        self.row = {"vault": vault}

    # Step 2: the head

    def take_head(self, locations):
        head, keys, complaint = choose_head(self.heads, self.options.dealer)
        self.head, self.keys = head, keys
        if complaint:
            self.report.note("vault %s: %s" % (self.vault, complaint), problem=True)
        for given in self.options.dealer_keys:
            self.keys[fingerprint(given)] = given
        self.floor = max(self.options.k or 0, head.k if head else 0)
        self.row["head"] = None
        if head:
            heard, needed = len(locations), head.n - head.k + 1
            self.confirmed = len(head.places) >= 2 * head.k - 1
            self.row["head"] = {
                "epoch": head.epoch, "k": head.k, "n": head.n, "layout": head.layout, "created": head.created,
                "dealer": head.dealer, "mayBeStale": heard < needed or not self.confirmed,
            }  # fmt: skip
            if self.options.k and head.k < self.options.k:
                self.report.note("the head says k = %d, the sheet says %d; the sheet is followed" % (head.k, self.options.k), True)
        if self.options.dealer and not self.keys:
            self.report.note("the fingerprint cannot be held against anything: no keys of the dealer are here (--dealer-keys)", True)
        if self.options.dealer and self.options.dealer in self.keys:
            self.source = "the fingerprint given"
        elif self.options.dealer_keys:
            self.source = "the keys given"
        else:
            self.source = "the vault only" if self.keys else None
        self.row["dealerKnownFrom"] = self.source

    def dealer_state(self, one_set, meta):
        """"verified", "not verified" (no keys to ask), or "wrong"."""
        if not self.keys:
            return "not verified"
        wished = meta.value.get("dealer")
        keys = [self.keys[wished]] if isinstance(wished, str) and wished in self.keys else list(self.keys.values())
        return "verified" if any(meta_signature_right(meta, one_set.common, k) for k in keys) else "wrong"

    # Reading one dealing

    def live(self, deal, floor):
        """Sets of this dealing that may be read, best first; the others are named in the report."""
        out = []
        for one_set in self.by_deal.get(deal, []):
            if one_set.k < floor:
                self.say("refused", one_set, "dealt with k = %d, smaller than the %d that holds here" % (one_set.k, floor))
                continue
            one_set.resolve()
            if one_set.limited:
                self.report.note("the search for the key of object %s was given up after %d tries" % (deal[0], KEY_TRIES_MAX), True)
            if one_set.key is None:
                self.incomplete(one_set)
            elif one_set.conflict:
                self.say("conflict", one_set, one_set.conflict)
            else:
                out.append(one_set)
        return out

    def incomplete(self, one_set):
        places = len({f.location for f in one_set.fragments()})
        why = "fragments at %d location(s), %d are needed" % (places, one_set.k)
        if places >= one_set.k:
            why = "no %d of its key shares fit together" % one_set.k
        self.say("incomplete", one_set, why)

    def say(self, kind, one_set, why):
        if (kind, id(one_set)) not in self.spent:
            self.spent.add((kind, id(one_set)))
            self.report.set(kind, one_set, why)

    def attempt(self, sets, consume, wished=None):
        """Read the first of `sets` (one dealing, newest generation first) that can be read.
        `consume(reader, meta)`. Returns (set, meta, dealer state, reader); raises Unreadable."""
        reasons = []
        for one_set in sets:
            try:
                meta = one_set.meta()
                if wished not in (None, meta.size):
                    raise Unreadable("its size is not what the catalogue says")
                state = self.dealer_state(one_set, meta)
                if state == "wrong" and not self.options.unverified:
                    raise Unreadable("the signature of the dealer does not verify (--unverified restores it all the same)")
                reader = Reader(one_set, lambda c, why: self.report.fragment("blames", c.fragment, why), not self.options.fast)
                consume(reader, meta)
            except (Unreadable, Damaged) as error:
                if str(error) not in reasons:
                    reasons.append(str(error))
                continue
            for older in sets[sets.index(one_set) + 1 :]:
                self.say("superseded", older, "generation %d, and %d stands" % (older.common.generation, one_set.common.generation))
            return one_set, meta, state, reader
        raise Unreadable("; ".join(reasons))

    def missing_why(self, deal, floor):
        rows = self.by_deal.get(deal, [])
        if not rows:
            return "no location here holds a fragment of it"
        best = max(rows, key=lambda s: len({f.location for f in s.fragments()}))
        places = len({f.location for f in best.fragments()})
        if best.k < floor:
            return "it was dealt with k = %d, smaller than the %d that holds here" % (best.k, floor)
        if best.conflict:
            return best.conflict
        if places >= best.k:
            return "no %d of its key shares fit together: fragments of it are damaged" % best.k
        return "%d location(s) here hold a fragment of it and %d are needed" % (places, best.k)

    # Step 3: the catalogue

    def read_catalogue(self):
        """Read snapshot and segments by the REFs of the head; without a head, by META `type`."""
        if self.head and (self.head.catalogue or self.head.segments):
            refs = ([self.head.catalogue] if self.head.catalogue else []) + sorted(self.head.segments, key=lambda r: r.sequence)
            if self._apply(refs, bool(self.head.catalogue)):
                return
            self.report.note("the catalogue that the head names cannot be read; what else is here is tried", problem=True)
        elif self.head:
            self.catalogue = Catalogue()
            self.row["catalogue"] = {"snapshot": None, "to": 0}
            return
        refs = self._find_catalogue()
        starts = [i for i, ref in enumerate(refs) if ref.kind == "snapshot"]
        done = any(self._apply(refs[start:], True) for start in reversed(starts))
        if not done and refs and refs[0].sequence == 1 and not starts:
            done = self._apply(refs, False)
        if done:
            self.floor = self.floor or self.catalogue_k

    def _find_catalogue(self):
        """References to catalogue objects known by their META type, one for each sequence, rising."""
        found = collections.OrderedDict()
        for deal in self.by_deal:
            for one_set in self.live_quietly(deal):
                try:
                    meta = one_set.meta()
                except (Unreadable, Damaged, OSError):
                    continue
                match = re.match(r"catalogue/([0-9a-f]{16})\Z", meta.path)
                if meta.type == CATALOGUE_TYPE and match and not self._forged(one_set, meta):
                    ref = FoundRef(*deal, int(match.group(1), 16), self._kind(deal), one_set.k)
                    if ref.kind:
                        found.setdefault(ref.sequence, []).append(ref)
                break
        greatest = max((ref.k for refs in found.values() for ref in refs), default=0)
        out = []
        for sequence in sorted(found):
            if not self.floor:  # "with neither, the greatest k that verifies wins over any version"
                for ref in found[sequence]:
                    if ref.k < greatest:
                        for one_set in self.by_deal[ref[:3]]:
                            self.say("conflict", one_set, "a catalogue dealt with k = %d while another has %d" % (ref.k, greatest))
                found[sequence] = [ref for ref in found[sequence] if ref.k == greatest]
            if len(found[sequence]) > 1:
                self.report.note("two catalogue objects of sequence %d are here; neither is taken (--deal decides)" % sequence, True)
            elif found[sequence]:
                out.append(found[sequence][0])
        if not self.floor:
            self.catalogue_k = greatest
        return out

    def live_quietly(self, deal):
        if not self._asked(deal):
            return []
        return [s for s in self.by_deal[deal] if s.k >= self.floor and s.resolve().key is not None and not s.conflict]

    def _asked(self, deal):
        """--deal: for an object that has a dealing asked for, only that one."""
        wished = self.options.deal
        if not wished or deal[2] in wished:
            return True
        return not any(other[0] == deal[0] and other[2] in wished for other in self.by_deal)

    def _kind(self, deal):
        try:
            with self._content(deal) as stream:
                return next(catalogue_lines(stream), {}).get("kind")
        except (Unreadable, Damaged):
            return None

    def _content(self, deal):
        stream = tempfile.SpooledTemporaryFile(max_size=64 << 20)

        def fill(reader, meta):
            if meta.type != CATALOGUE_TYPE:
                raise Unreadable("it is not a catalogue object")
            stream.seek(0)
            stream.truncate()
            reader.copy_to(stream.write, meta)

        try:
            sets = self.live(deal, self.floor)
            if not sets:
                raise Unreadable(self.missing_why(deal, self.floor))
            self.attempt(sets, fill)
        except Unreadable:
            stream.close()
            raise
        stream.seek(0)
        return stream

    def _apply(self, refs, snapshot):
        """Apply `refs` in order, "up to the first that is missing". False when not even the first can be read."""
        state, last, row = Catalogue(), None, {"snapshot": refs[0].sequence if snapshot else None, "to": None}
        for index, ref in enumerate(refs):
            first = index == 0
            kind = "snapshot" if first and snapshot else "segment"
            if last is not None and ref.sequence != last + 1:
                if ref.sequence <= last:
                    continue
                self.report.note("catalogue segment %d is missing; later changes are not applied" % (last + 1), True)
                break
            if first and not snapshot and ref.sequence != 1:
                self.report.note("catalogue segment 1 is missing", True)
                return False
            try:
                with self._content((ref.object, ref.version, ref.deal_id)) as stream:
                    lines = catalogue_lines(stream)
                    top = next(lines, {})
                    good = top.get("v") == 1 and top.get("vault") == self.vault and top.get("sequence") == ref.sequence
                    if good and top.get("kind") == "snapshot" and kind == "segment":
                        last = ref.sequence  # the state after the segment before it, which we hold already
                        row["to"] = last
                        continue
                    if not good or top.get("kind") != kind:
                        raise Damaged("its first line is not what its reference says")
                    changes = list(lines) if kind == "segment" else lines  # a segment counts whole or not at all
                    for line in changes:
                        state.apply(line)
                    state.created = top.get("created") or state.created
            except (Unreadable, Damaged) as error:
                self.report.note("catalogue %s %d cannot be read: %s" % (kind, ref.sequence, error), True)
                if first:
                    return False
                break
            last = ref.sequence
            row["to"] = last
        if state.unknown:
            self.report.note("%d catalogue lines are of a kind this program does not know and were skipped" % state.unknown, True)
        if state.about:
            self.row["name"] = state.about["name"]
        if state.locations:
            here = getattr(self, "given", {})
            self.row["locations"] = [
                {"location": found, "label": line["label"], "place": line["place"], "here": found in here}
                for found, line in state.locations.items()
            ]  # fmt: skip
        trashed = sum(1 for path in state.files.values() if path.startswith(TRASH))
        if trashed:
            self.report.note("%d of the files were in the trash; they are restored below %s" % (trashed, TRASH))
        row.update(created=state.created, files=len(state.files), folders=len(state.folders))
        self.catalogue, self.row["catalogue"] = state, row
        self.catalogue_deals = {ref.deal_id for ref in refs}
        return True

    # Steps 3 to 5: what is to be restored

    def plan(self):
        """Rows {path, number, older, tries: [...]}; a row is one name to restore, `tries` are dealings, best first."""
        return self._plan_by_catalogue() if self.catalogue is not None else self._plan_by_meta()

    def _plan_by_catalogue(self):
        state = self.catalogue
        referenced = state.referenced()
        catalogue_deals = getattr(self, "catalogue_deals", set())
        known = referenced | set(state.deals) | catalogue_deals
        named = {(v.object, v.version) for versions in state.versions.values() for v in versions.values()}
        late = collections.OrderedDict()  # path -> dealings written after the last segment
        late_versions = collections.defaultdict(set)
        for deal in self.by_deal:
            if deal[2] in known:
                continue
            if deal[2] in state.dropped:
                for one_set in self.by_deal[deal]:
                    self.say("debris", one_set, "the catalogue dropped this dealing")
                continue
            if not self._asked(deal):
                self._refuse_unasked(deal)
                continue
            source = self.by_deal[deal][0].common.dealt_from
            if not self.options.deal and (source in known or source in state.dropped):
                for one_set in self.by_deal[deal]:
                    self.say("debris", one_set, "the content of dealing %s dealt anew, by a change that was cut off" % source)
                continue
            sets = self.live(deal, self.floor)
            if not sets:
                continue
            try:
                meta = sets[0].meta()
            except (Unreadable, Damaged) as error:
                self.report.set("incomplete", sets[0], str(error))
                continue
            if meta.type == CATALOGUE_TYPE or self._forged(sets[0], meta):
                continue
            if deal[:2] in named:
                for one_set in sets:
                    self.say("conflict", one_set, "another dealing of this version is the one the catalogue names")
                continue
            late_versions[deal[:2]].add(deal)
            late.setdefault(self._key(meta.path), []).append((time_of(meta.created), deal, sets))
        clashing = {deal for group in late_versions.values() if len(group) > 1 for deal in group}
        rows = []
        for file, path in sorted(state.files.items(), key=lambda item: (item[1], item[0])):
            versions = sorted(state.versions[file].values(), key=lambda v: -v.number)
            after = sorted(late.pop(self._key(path), []), key=lambda row: row[0], reverse=True)
            tries = []
            for created, deal, sets in after:
                if deal in clashing:
                    rows.append(self._clash(path, deal, sets))
                elif created < time_of(versions[0].created):
                    self.say("debris", sets[0], "older than the version of %s that the catalogue names" % shown(path))
                else:
                    tries.append(Try(deal, versions[0].number, "after the last segment", None))
            tries = [t._replace(number=t.number + len(tries) - i) for i, t in enumerate(tries)]
            for version in versions:
                tries.append(Try((version.object, version.version, version.deal_id), version.number, "catalogue", version.modified))
            rows.append({"path": path, "tries": tries, "exact": True})
        for path, after in sorted(late.items()):
            tries = []
            for created, deal, sets in sorted(after, key=lambda row: row[0], reverse=True):
                if deal in clashing:
                    rows.append(self._clash(path, deal, sets))
                else:
                    tries.append(Try(deal, 0, "after the last segment", None))
            tries = [t._replace(number=len(tries) - i) for i, t in enumerate(tries)]
            if tries:
                rows.append({"path": path, "tries": tries, "exact": False})
        return rows

    def _forged(self, one_set, meta):
        """Is the dealer known, and did not sign this? k locations together can make such a thing."""
        if self.options.unverified or self.dealer_state(one_set, meta) != "wrong":
            return False
        self.say("refused", one_set, "the known dealer did not sign it, and yet %d locations hold it: look into these locations" % one_set.k)
        self.report.problem = True
        return True

    def _clash(self, path, deal, sets):
        for one_set in sets:
            self.say("conflict", one_set, "another dealing has the same object and version %d" % deal[1])
        return {"path": path, "tries": [], "conflict": [deal]}

    def _refuse_unasked(self, deal):
        for one_set in self.by_deal[deal]:
            self.say("refused", one_set, "another dealing of this object was asked for")

    @staticmethod
    def _key(path):
        return unicodedata.normalize("NFC", path if path.startswith("/") else "/" + path)

    def _plan_by_meta(self):
        """Step 5, and "The liar must not choose k": per object the greatest k, the newest version, the newest
        generation; a version dealt twice is refused."""
        objects = collections.OrderedDict()
        for deal in self.by_deal:
            objects.setdefault(deal[0], []).append(deal)
        paths, rows = collections.OrderedDict(), []
        for object_id, deals in objects.items():
            kept = []
            for deal in deals:
                if self._asked(deal):
                    sets = self.live(deal, self.floor)
                    if sets:
                        kept.append((deal, sets))
                else:
                    self._refuse_unasked(deal)
            if not kept:
                self._mention_incomplete(object_id, deals, rows)
                continue
            if not self.floor:
                kept = self._greatest_k(kept)
            kept = self._signed(kept) or kept
            by_version = collections.OrderedDict()
            for deal, sets in sorted(kept, key=lambda row: -row[0][1]):
                by_version.setdefault(deal[1], []).append((deal, sets))
            for index, (version, group) in enumerate(by_version.items()):
                if len(group) > 1:
                    for deal, sets in group:
                        self._clash(None, deal, sets)
                    rows.append({"path": self._path_of(group), "tries": [], "conflict": [deal for deal, _ in group]})
                    if index == 0:
                        break  # an older version is never chosen silently in place of one in conflict
                    continue
                deal, sets = group[0]
                try:
                    meta = sets[0].meta()
                except (Unreadable, Damaged) as error:
                    rows.append({"path": None, "tries": [], "failed": str(error), "deal": deal})
                    continue
                if meta.type != CATALOGUE_TYPE:
                    paths.setdefault(self._key(meta.path), []).append((time_of(meta.created), index == 0, deal))
        for path, found in sorted(paths.items()):
            found.sort(key=lambda row: (row[1], row[0], row[2][1]), reverse=True)
            total = len(found)
            tries = [Try(deal, total - i, "META path", None) for i, (_, _, deal) in enumerate(found)]
            rows.append({"path": path, "tries": tries, "exact": True})
        return rows

    def _greatest_k(self, kept):
        """With k from nobody, "the greatest k that verifies wins over any version"; the others are a conflict."""
        greatest = max(s.k for _, sets in kept for s in sets)
        winners = {deal for deal, sets in kept for s in sets if s.k == greatest}
        out = []
        for deal, sets in kept:
            good = [s for s in sets if s.k == greatest]
            for s in sets:
                if s.k < greatest and deal in winners:
                    self.say("superseded", s, "the same dealing stands here with k = %d" % greatest)
                elif s.k < greatest:
                    self.say("conflict", s, "dealt with k = %d while another dealing has %d; --k or --deal decides" % (s.k, greatest))
            if good:
                out.append((deal, good))
        return out

    def _signed(self, kept):
        """With the dealer's keys at hand, a dealing that he did not sign does not stand in the way of one he did."""
        if len(kept) < 2 or not self.keys or self.options.unverified:
            return kept
        good = []
        for deal, sets in kept:
            try:
                if self.dealer_state(sets[0], sets[0].meta()) == "verified":
                    good.append((deal, sets))
            except (Unreadable, Damaged):
                good.append((deal, sets))
        for deal, sets in kept if good else ():
            if (deal, sets) not in good:
                self._forged(sets[0], sets[0].meta())
        return good

    def _path_of(self, group):
        for _, sets in group:
            try:
                return sets[0].meta().path
            except (Unreadable, Damaged):
                continue
        return None

    def _mention_incomplete(self, object_id, deals, rows):
        newest = max(deals, key=lambda deal: deal[1])
        rows.append({"path": None, "tries": [], "failed": self.missing_why(newest, self.floor), "deal": newest})

    # Doing it

    def restore(self, rows):
        prefix = self.options.path
        matched = [row for row in rows if self._below(row["path"], prefix)]
        if self.catalogue is not None:
            for folder in sorted(self.catalogue.folders):
                if self._below(folder, prefix):
                    self._restore_folder(folder)
        for row in matched:
            self._restore_row(row)
        if prefix and not matched:
            self.report.nothing = True
            self.report.note("nothing here lies at or below %s" % shown(prefix))

    def _below(self, path, prefix):
        if not prefix:
            return True
        if path is None:
            return False
        wished = self._key(prefix).rstrip("/")
        return self._key(path) == wished or self._key(path).startswith(wished + "/")

    def _restore_folder(self, folder):
        parts = safe_parts(folder)
        if parts is None:
            self.report.note("a folder with a hostile name was left out: %s" % shown(folder), True)
            return
        self.report.folders.append(folder)
        if self.target and not self.options.list:
            self.target.folder(parts)

    def _restore_row(self, row):
        if row.get("conflict"):
            ids = [deal[2] for deal in row["conflict"]]
            for deal in row["conflict"]:
                self._file(row["path"], deal, "conflict", reason="two dealings of one version; --deal %s decides" % " or ".join(ids))
            return
        if row.get("failed"):
            self._file(row["path"], row["deal"], "failed", reason=row["failed"])
            return
        current, kept = False, 0
        for one in row["tries"]:
            if current and not self.options.all_versions:
                kept += 1
                continue
            good = self._restore_try(row["path"], one, older=current)
            # An object after the last segment counts only when complete; a version that the catalogue names as
            # current and that is lost is said to be lost, not replaced by an older one.
            if good or one.source != "after the last segment":
                current = True
        if kept:
            self.row["olderVersions"] = self.row.get("olderVersions", 0) + kept

    def _restore_try(self, path, one, older):
        line = self.catalogue.deals.get(one.deal[2]) if self.catalogue is not None else None
        named = line is not None and (line["object"], line["version"]) == one.deal[:2]
        wished = line["size"] if named else None
        # The catalogue states the k of each dealing; a sheet's k still holds against both.
        floor = max(self.options.k or 0, line["k"]) if named else self.floor
        more = {"number": one.number, "older": older, "source": one.source}
        sets = self.live(one.deal, floor)
        if named:
            self._say_missing(one.deal[2])
        try:
            if not sets:
                raise Unreadable(self.missing_why(one.deal, floor))
            if self.options.list:
                self._list(path, one, sets, line if named else None, more)
                return True
            parts = safe_parts(path)
            hostile = parts is None
            if hostile:
                parts = [UNSAFE_FOLDER, "%s-%d" % one.deal[:2]]
                self.report.note("a hostile name was not used: %s; its data are in %s" % (shown(path), "/".join(parts)), True)
            if older:
                parts = version_name(parts, one.number)
            done = []

            def fill(reader, meta):
                watch = self.options.watch(path, meta.size)
                done[:] = self.target.write(parts, lambda write: reader.copy_to(watch(write), meta), meta)

            one_set, meta, dealer, reader = self.attempt(sets, fill, wished)
        except Unreadable as error:
            if one.source == "after the last segment":
                for one_set in sets:
                    self.say("incomplete", one_set, "written after the last segment and not whole: %s" % error)
                if not sets:
                    self.report.note("an unfinished upload of %s was left out: %s" % (shown(path), error))
                return False
            self._file(path, one.deal, "failed", reason=str(error), **more)
            return False
        except OSError as error:
            self._file(path, one.deal, "failed", reason="this computer says: %s" % error, **more)
            return False
        used = [{"location": c.fragment.location.label, "file": c.fragment.name} for c in reader.used.values()]
        if dealer == "wrong":
            self.report.note("restored although the dealer's signature does not verify: %s" % shown(path), True)
        self._file(
            path, one.deal, done[1], target=done[0], size=meta.size, dealer=dealer, k=one_set.k, n=one_set.common.n,
            suite=one_set.common.suite, generation=one_set.common.generation, modified=meta.modified, **{"from": used}, **more
        )  # fmt: skip
        return True

    def _list(self, path, one, sets, line, more):
        meta = None
        if line is None:
            try:
                meta = sets[0].meta()
            except Damaged as error:
                raise Unreadable(str(error))
        places = len({c.location for c in sets[0].usable})
        modified = one.modified or (meta.modified if meta else None)
        size = meta.size if meta else line["size"]
        dealer = self.dealer_state(sets[0], meta) if meta else None
        if dealer == "wrong" and not self.options.unverified:
            raise Unreadable("the signature of the dealer does not verify")
        row = dict(more, size=size, modified=modified, locations=places, k=sets[0].k)
        if dealer:
            row["dealer"] = dealer
        self._file(path, one.deal, "listed", **row)

    def _say_missing(self, deal_id):
        """Fragments that the catalogue places at a location given here, and that are not there."""
        for place in self.catalogue.places.get(deal_id, []):
            location, name = self.given.get(str(place.get("location"))), place.get("name")
            if location is not None and isinstance(name, str) and not any(n == name or n.endswith("/" + name) for n in location.names):
                self.report.name("missing", location.label, shown(name), "the catalogue places a fragment here")

    def _file(self, path, deal, state, **more):
        row = {"path": path, "state": state, "vault": self.vault, "object": deal[0], "version": deal[1], "dealId": deal[2]}
        row.update(more)
        self.report.files.append(row)
        self.options.progress(row)

    # Afterwards

    def finish(self):
        """Name what does not stand. Done last, since a HEAD copy may have led a file into two sets."""
        for one_set in self.sets:
            dropped = self.catalogue is not None and one_set.deal[2] in self.catalogue.dropped
            if one_set.k >= self.floor and not dropped:
                one_set.resolve()
        for one_set in self.sets:
            if one_set.key is None:
                continue
            for c in one_set.failed:
                if c.fragment.stands is None:
                    self.report.fragment("blames", c.fragment, "its frame is not as dealt (ktag), while other locations agree on the key")
            for c in one_set.apart:
                self.report.fragment("apart", c.fragment, "its account of lengths and runs differs from that of k locations")
            if one_set.ignored:
                self.report.note("%d more files of one set at one location were not looked at" % one_set.ignored, True)
            for fragment in one_set.fragments():
                stands = fragment.stands
                if stands is not None and stands.damaged and stands in one_set.candidates:
                    self.report.fragment("heads", fragment, stands.damaged)
        if self.catalogue is None:
            for row in self.report.rows("incomplete"):
                if any(f.name == row["file"] and f.location.label == row["location"] for s in self.sets for f in s.fragments()):
                    self.report.problem = True
        self.report.vaults.append(self.row)


Try = collections.namedtuple("Try", "deal number source modified")
FoundRef = collections.namedtuple("FoundRef", "object version deal_id sequence kind k")


# ---------------------------------------------------------------------------------------------------------------
# The whole recovery.


class Options:
    """What the command line or a test asks for."""

    def __init__(self, **asked):
        self.k = None
        self.deal = ()
        self.dealer = None
        self.dealer_keys = ()
        self.path = None
        self.list = False
        self.all_versions = False
        self.unverified = False
        self.fast = False
        self.vault = None
        self.out = None
        self.progress = lambda row: None
        self.watch = lambda path, size: lambda write: write
        for name, value in asked.items():
            if not hasattr(self, name):
                raise TypeError(name)
            setattr(self, name, value)


def scan(locations, report):
    """Step 1: frame every file and group by equal COMMON. Returns {vault hex: [Set]}."""
    sets, vaults = {}, collections.OrderedDict()
    for location in locations:
        for name, source in location.sources:
            try:
                fragment = Fragment(location, name, source)
            except (Damaged, OSError) as error:
                report.name("blames", location.label, name, str(error))
                continue
            for candidate in fragment.candidates:
                raw = candidate.head.common.raw
                if raw not in sets:
                    sets[raw] = Set(candidate.head.common)
                    vaults.setdefault(candidate.head.common.vault.hex(), []).append(sets[raw])
                candidate.head = candidate.head._replace(common=sets[raw].common)
                sets[raw].add(candidate)
    # Two HEAD copies that differ lead a file into two sets. The set that has a key tells what the file is.
    for one_set in sets.values():
        for candidate in [c for c in one_set.candidates if len(c.fragment.candidates) > 1]:
            both = [sets[c.head.common.raw].resolve() for c in candidate.fragment.candidates]
            if one_set.key is None and any(other.key is not None for other in both):
                one_set.candidates.remove(candidate)
    for vault in list(vaults):
        vaults[vault] = [one_set for one_set in vaults[vault] if one_set.candidates]
        if not vaults[vault]:
            del vaults[vault]
    return vaults


def read_heads(locations, report):
    """Valid heads by vault; the same bytes at several locations are one head with several places."""
    heads = collections.OrderedDict()
    for location in locations:
        for vault, epoch, name, source in location.heads:
            try:
                if source.size > VAULT_HEAD_BYTES_MAX:
                    raise Damaged("the head is larger than a head can be")
                raw = source.read(0, source.size)
                known = heads.setdefault(vault, collections.OrderedDict())
                if raw not in known:
                    known[raw] = VaultHead(raw, vault, epoch)
                if known[raw].epoch != epoch:
                    raise Damaged("the head does not belong under its name")
                if location not in known[raw].places:
                    known[raw].places.append(location)
            except (Damaged, OSError) as error:
                report.name("blames", location.label, name, str(error))
    return {vault: list(known.values()) for vault, known in heads.items()}


def recover(locations, options):
    """Restore what `locations` hold; the Report says how that went."""
    try:
        return _recover(locations, options)
    finally:
        FileSource.close_all()


def _recover(locations, options):
    report = Report()
    for location in locations:
        location.names = {name for name, _ in location.sources}
        for name, why in location.errors:
            report.name("blames", location.label, name, why)
        markers = {found for found in location.markers if found}
        if len(markers) > 1:
            report.note(
                "%s holds the markers of %d locations and counts as one; name the folder of each location by itself"
                % (location.label, len(markers)),
                problem=True,
            )
    found = scan(locations, report)
    heads = read_heads(locations, report)
    ids = list(collections.OrderedDict.fromkeys(list(heads) + list(found)))
    if options.vault:
        ids = [vault for vault in ids if vault == options.vault]
        if not ids:
            report.note("no location here holds anything of vault %s" % options.vault, True)
    live = [vault for vault in ids if vault in heads or any(one_set.resolve().key is not None for one_set in found[vault])]
    if live and not options.vault:
        for vault in ids:
            for one_set in found[vault] if vault not in live else ():
                report.set("incomplete", one_set, "the only fragments of another vault, %s" % vault)
                report.problem = True
        ids = live
    if len(ids) > 1:
        report.note("%d vaults are here; each is restored into a folder named by its id (--vault chooses one)" % len(ids))
    for vault_id in ids:
        target = None
        if options.out is not None and not options.list:
            target = Target(os.path.join(options.out, vault_id) if len(ids) > 1 else options.out)
            target.start()
        vault = Vault(vault_id, found.get(vault_id, []), heads.get(vault_id, []), options, report, target)
        vault.given = {
            found_id: location for location in locations for found_vault, found_id in filter(None, location.markers)
            if found_vault == vault_id
        }  # fmt: skip
        vault.take_head(locations)
        vault.read_catalogue()
        vault.restore(vault.plan())
        vault.finish()
    return report


def dealer_keys_file(path):
    """{mldsa65, ed25519} as a JSON file, each raw key in hex or standard base64; also as member `dealer` or `dealerKeys`."""
    with open(path, "rb") as file:
        value = json.loads(file.read(1 << 20).decode("utf-8"))
    for name in ("dealerKeys", "dealer"):
        if isinstance(value, dict) and isinstance(value.get(name), dict):
            value = value[name]
    raw = []
    for name, length in (("mldsa65", 1952), ("ed25519", 32)):
        text = value[name]
        raw.append(bytes.fromhex(text) if re.match(r"[0-9a-fA-F]{%d}\Z" % (2 * length), text) else raw_base64(text, (length,), name))
    return DealerKeys(*raw)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        sys.stderr.write("recover: %s\n" % message)
        sys.exit(1)


def hex_of(length):
    def parse(text):
        text = text.lower().replace("-", "").replace(":", "").replace(" ", "")
        if not re.match(r"[0-9a-f]{%d}\Z" % length, text):
            raise argparse.ArgumentTypeError("%d hex digits are expected" % length)
        return text

    return parse


def arguments():
    parser = Parser(
        prog="recover.py",
        description="Give files back from k locations of a vault, with nothing else. Locations are only read.",
        epilog="Exit codes: 0 everything restored, nothing wrong seen; 1 usage; 2 nothing could be restored; "
        "3 something is damaged, missing or in conflict, and what can be read was restored.",
    )
    add = parser.add_argument
    add("locations", nargs="*", metavar="LOCATION", help="folder of one location, or one fragment file; each counts as one location")
    add("--location", nargs="+", action="append", default=[], metavar="FILE", help="files or folders that come from ONE location")
    add("--separate", action="store_true", help="every fragment file is a location of its own (you mixed several places in one folder)")
    add("--out", metavar="FOLDER", help="where files are restored; nothing that stands there is overwritten")
    add("--list", action="store_true", help="only say what is there")
    add("--k", type=int, help="k from the recovery sheet; fragments dealt with a smaller one are refused")
    add("--vault", type=hex_of(32), metavar="ID", help="only this vault")
    add("--deal", type=hex_of(32), action="append", default=[], metavar="ID", help="in a conflict, the dealing to take (may be repeated)")
    add("--path", metavar="PREFIX", help="only the file or folder with this path")
    add("--all-versions", action="store_true", help="older versions too, as NAME~version-N")
    add("--dealer", type=hex_of(64), metavar="FINGERPRINT", help="dealer of the vault as on the recovery sheet (64 hex digits)")
    add("--dealer-keys", action="append", default=[], metavar="FILE", help="JSON file with the dealer's public keys {mldsa65, ed25519}")
    add("--unverified", action="store_true", help="restore also what the known dealer did not sign")
    add("--fast", action="store_true", help="read only k locations for each record; damage at the others is not looked for")
    add("--json", action="store_true", help="the report as JSON on standard output")
    add("--pure", action="store_true", help="do not use the system's libcrypto")
    return parser


def main(argv=None):
    global GCM
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    parser = arguments()
    given = parser.parse_args(argv)
    groups = [[path] for path in given.locations] + given.location
    if not groups:
        parser.error("name at least k locations")
    if not given.list and not given.out:
        parser.error("say where to restore with --out FOLDER, or only look with --list")
    if given.k is not None and not 2 <= given.k <= 255:
        parser.error("--k must be from 2 to 255")
    for path in itertools.chain.from_iterable(groups):
        if not os.path.exists(path):
            parser.error("there is no %s" % shown(path))
        if given.out and os.path.isdir(path):
            inside = os.path.realpath(given.out) + os.sep
            if inside.startswith(os.path.realpath(path) + os.sep):
                parser.error("--out lies inside the location %s; locations are only read" % shown(path))
    try:
        keys = [dealer_keys_file(path) for path in given.dealer_keys]
    except (OSError, ValueError, KeyError, TypeError, Damaged) as error:
        parser.error("--dealer-keys: %s" % error)
    if given.dealer and keys and given.dealer not in [fingerprint(key) for key in keys]:
        parser.error("the keys in --dealer-keys do not have the fingerprint given by --dealer")
    GCM = choose_gcm(given.pure)
    if isinstance(GCM, PureGcm):
        rate = pure_rate()
        sys.stderr.write("%s; pure Python AES: about %s a second for each location read\n" % (
            "--pure" if given.pure else "libcrypto was not found", "%d kB" % (rate / 1000) if rate < 2e6 else "%.1f MB" % (rate / 1e6)))  # fmt: skip
    began = time.time()

    def progress(row):
        sys.stderr.write(line_of(row) + "\n")

    def watch(path, size):
        """Says every few seconds how far a long file is."""

        def wrap(write):
            state = [0, time.time()]

            def watched(part):
                write(part)
                state[0] += len(part)
                if time.time() - state[1] > 5:
                    state[1] = time.time()
                    sys.stderr.write("  %s: %d of %d MB\n" % (shown(path), state[0] // 1000000, size // 1000000))

            return watched

        return wrap

    options = Options(
        watch=watch, k=given.k, vault=given.vault, deal=tuple(given.deal), path=given.path, list=given.list, all_versions=given.all_versions,
        dealer=given.dealer, dealer_keys=keys, unverified=given.unverified, fast=given.fast, out=given.out,
        progress=(lambda row: None) if given.json else progress,
    )  # fmt: skip
    try:
        locations = find_locations(groups, given.separate)
    except (OSError, Damaged) as error:
        parser.error(str(error))
    if not given.json:
        for location in locations:
            sys.stderr.write("location %s: %d fragments, %d heads%s\n" % (
                shown(location.label), len(location.sources), len(location.heads),
                ", %d other files not looked at" % location.ignored if location.ignored else ""))  # fmt: skip
    try:
        report = recover(locations, options)
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped. Files that were finished stay; run the same command again to go on.\n")
        return 3
    if given.json:
        out = report.json()
        out["locations"] = [
            {"location": one.label, "fragments": len(one.sources), "heads": len(one.heads), "ignored": one.ignored} for one in locations
        ]
        json.dump(out, sys.stdout, indent=1)
        sys.stdout.write("\n")
    else:
        tell(report, locations, given, time.time() - began)
    return report.code()


def line_of(row):
    name = shown(row["path"]) if row["path"] else "object %s version %d (no path known)" % (row["object"], row["version"])
    if row["state"] in ("failed", "conflict"):
        return "NOT restored: %s: %s" % (name, shown(row["reason"]))
    extra = []
    if row.get("older"):
        extra.append("version %d" % row["number"])
    if row.get("source") == "after the last segment":
        extra.append("written after the last catalogue segment")
    if row["state"] == "listed":
        extra.append("%d locations of %d needed" % (row["locations"], row["k"]))
    elif row.get("dealer") != "verified":
        extra.append("dealer not verified")
    if row.get("target") and os.path.basename(row["target"]) != (row["path"] or "").split("/")[-1]:
        extra.append("as " + shown(row["target"]))
    return "%s: %s, %d bytes%s" % (row["state"], name, row["size"], "".join(", " + text for text in extra))


_TELL = (
    ("blames", "Damaged or not a fragment:"),
    ("heads", "Read, with one of the two HEAD copies damaged:"),
    ("apart", "Differing from what k locations agree on:"),
    ("conflict", "In conflict, not used:"),
    ("refused", "Refused:"),
    ("missing", "Missing:"),
    ("incomplete", "Left over, fewer than k that fit together:"),
)


def tell(report, locations, given, seconds):
    """The account at the end, for a person: what happened, and what to do next."""
    say = lambda text="": sys.stdout.write(text + "\n")  # noqa: E731
    for vault in report.vaults:
        say()
        say("Vault %s%s" % (vault["vault"], ": " + shown(vault["name"]) if vault.get("name") else ""))
        head = vault.get("head")
        if head:
            say("  head: epoch %d of %s, %d of %d%s" % (
                head["epoch"], shown(head["created"]), head["k"], head["n"], ". It may be stale: a newer one can stand at a location that is not here" if head["mayBeStale"] else ""))  # fmt: skip
            say("  dealer %s, known from %s" % (head["dealer"], vault["dealerKnownFrom"]))
            if vault["dealerKnownFrom"] == "the vault only":
                say("    Compare these digits with the recovery sheet, or give them as --dealer.")
        else:
            say("  no head is used. The greatest k that verifies is taken; --k from the recovery sheet makes this safe")
            if vault["dealerKnownFrom"] is None:
                say("  dealer not verified: k locations together could have invented what is restored here")
        catalogue = vault.get("catalogue")
        if catalogue:
            say("  catalogue: up to sequence %s, written %s" % (catalogue["to"], shown(catalogue.get("created") or "never")))
        else:
            say("  no catalogue could be read: files have the path they were first written under")
        away = [one for one in vault.get("locations", []) if not one["here"]]
        if away:
            say("  the vault has fragments at places that you did not name, too:")
            for one in away[:255]:
                say("    %s: %s" % (shown(one["label"]), shown(one["place"])))
        if vault.get("olderVersions"):
            say("  %d older versions were left where they are (--all-versions)" % vault["olderVersions"])
    for kind, title in _TELL:
        rows = report.rows(kind)
        if rows:
            say()
            say(title)
            for row in rows[:1000]:
                say("  %s: %s: %s%s" % (
                    shown(row["location"]), shown(row["file"]), "; ".join(map(shown, row["why"])),
                    "; and %d more" % row["more"] if row.get("more") else ""))  # fmt: skip
            if len(rows) > 1000:
                say("  and %d more (--json names all)" % (len(rows) - 1000))
    if report.notes:
        say()
        for note in report.notes:
            say("Note: " + shown(note))
    done = [row for row in report.files if row["state"] in ("restored", "already there", "listed")]
    lost = [row for row in report.files if row["state"] in ("failed", "conflict")]
    size = sum(row["size"] for row in done)
    if lost:
        say()
        say("Not restored:")
        for row in lost[:1000]:
            say("  " + line_of(row)[len("NOT restored: ") :])
        if len(lost) > 1000:
            say("  and %d more (--json names all)" % (len(lost) - 1000))
    say()
    say("%d file(s) %s, %d bytes, %.1f seconds; %d not restored." % (
        len(done), "listed" if given.list else "are in " + shown(given.out), size, seconds, len(lost)))  # fmt: skip
    code = report.code()
    if code == 0:
        say("Nothing wrong was seen." if not given.list else "Nothing wrong was seen in the frames; data were not read.")
    elif lost:
        say("What to do next: add every further location you can reach to the command and run it again; what is restored")
        say("already stays. Keep the locations as they are until you are sure. A conflict is settled by --deal.")
        if len(locations) == 1:
            say("You named one location. At least k are needed. Files that you gathered in one folder from several places: --separate.")
    else:
        say("All that was found is restored, and something above needs a look: replace or repair what is damaged.")


if __name__ == "__main__":
    sys.exit(main())
