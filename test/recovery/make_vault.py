"""A small writer of fragments, catalogues and heads, made from docs/spec/fragment.md and docs/spec/vault.md.

For tests of recovery/recover.py only: it keeps keys in memory, signs without hedging and knows how to write what a
liar would write. Arithmetic is shared with the reader, which is held to published vectors; formats are not.
"""

import base64
import hashlib
import os
import struct

import recover

sha256, hkdf, jcs = recover.sha256, recover.hkdf, recover.jcs
TIME = "2026-03-04T05:%02d:%02dZ"


# ML-DSA-65 keys and signatures. FIPS 204 algorithms 6 and 7, deterministic.

Q, K, L, G1, G2, BETA, ETA = recover.Q, recover.ML_K, recover.ML_L, recover.GAMMA1, recover.GAMMA2, recover.BETA, 4


def _bounded(seed):
    """Algorithm 31, RejBoundedPoly."""
    out = []
    for byte in hashlib.shake_256(seed).digest(1000):
        out += [ETA - z for z in (byte & 15, byte >> 4) if z < 9]
    return out[:256]


def _norm(polys):
    return max(min(v % Q, Q - v % Q) for poly in polys for v in poly)


def _product(c, polys):
    return [recover.ntt_inverse([a * b % Q for a, b in zip(c, poly)]) for poly in polys]


def _matrix_times(matrix, vector):
    out = []
    for row in matrix:
        total = [0] * 256
        for a, v in zip(row, vector):
            total = [t + x * y for t, x, y in zip(total, a, v)]
        out.append(recover.ntt_inverse([t % Q for t in total]))
    return out


class MlDsa:
    def __init__(self, seed):
        raw = hashlib.shake_256(seed + bytes([K, L])).digest(128)
        rho, rho2, self.key = raw[:32], raw[32:96], raw[96:]
        self.matrix = recover.expand_matrix(rho)
        s1 = [_bounded(rho2 + struct.pack("<H", r)) for r in range(L)]
        s2 = [_bounded(rho2 + struct.pack("<H", r + L)) for r in range(K)]
        self.s1, self.s2 = [recover.ntt(p) for p in s1], [recover.ntt(p) for p in s2]
        t = [[(a + b) % Q for a, b in zip(x, y)] for x, y in zip(_matrix_times(self.matrix, self.s1), s2)]
        t1 = [[(v + (1 << 12) - 1) >> 13 for v in p] for p in t]  # Power2Round, algorithm 35
        self.t0 = [recover.ntt([v - (h << 13) for v, h in zip(p, q)]) for p, q in zip(t, t1)]
        self.public = rho + b"".join(recover.pack_bits(p, 10) for p in t1)

    def sign(self, message, context):
        tr = hashlib.shake_256(self.public).digest(64)
        mu = hashlib.shake_256(tr + bytes([0, len(context)]) + context + message).digest(64)
        seed, kappa = hashlib.shake_256(self.key + bytes(32) + mu).digest(64), 0
        while True:
            masks = [hashlib.shake_256(seed + struct.pack("<H", kappa + r)).digest(640) for r in range(L)]
            y = [[G1 - v for v in recover.unpack_bits(mask, 20)] for mask in masks]
            kappa += L
            w = _matrix_times(self.matrix, [recover.ntt(p) for p in y])
            high = b"".join(recover.pack_bits([recover.decompose(v)[0] for v in p], 4) for p in w)
            start = hashlib.shake_256(mu + high).digest(48)
            c = recover.ntt(recover.sample_in_ball(start))
            z = [[a + b for a, b in zip(x, s)] for x, s in zip(y, _product(c, self.s1))]
            rest = [[(a - b) % Q for a, b in zip(x, s)] for x, s in zip(w, _product(c, self.s2))]
            if _norm(z) >= G1 - BETA or max(abs(recover.decompose(v)[1]) for p in rest for v in p) >= G2 - BETA:
                continue
            ct0 = _product(c, self.t0)
            hints = [
                [i for i in range(256) if recover.decompose(r[i])[0] != recover.decompose((r[i] + t[i]) % Q)[0]]
                for r, t in zip(rest, ct0)
            ]
            count = sum(map(len, hints))
            if _norm(ct0) >= G2 or count > recover.OMEGA:
                continue
            ends, flat = [], []
            for row in hints:
                flat += row
                ends.append(len(flat))
            packed = b"".join(recover.pack_bits([G1 - ((v + Q // 2) % Q - Q // 2) for v in p], 20) for p in z)
            return start + packed + bytes(flat) + bytes(recover.OMEGA - count) + bytes(ends)


class Ed25519:
    """RFC 8032 sections 5.1.5 and 5.1.6."""

    def __init__(self, seed):
        raw = hashlib.sha512(seed).digest()
        self.scalar = int.from_bytes(raw[:32], "little") & ~7 & ((1 << 254) - 1) | 1 << 254
        self.prefix = raw[32:]
        self.public = recover.ed_encode(recover.ed_multiply(self.scalar, recover.ED_BASE))

    def sign(self, message):
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % recover._L
        start = recover.ed_encode(recover.ed_multiply(r, recover.ED_BASE))
        h = int.from_bytes(hashlib.sha512(start + self.public + message).digest(), "little") % recover._L
        return start + ((r + h * self.scalar) % recover._L).to_bytes(32, "little")


def b64(raw):
    return base64.b64encode(raw).decode()


class Dealer:
    def __init__(self, name):
        self.mldsa, self.ed = MlDsa(sha256(name.encode())), Ed25519(sha256(b"ed", name.encode()))
        self.keys = recover.DealerKeys(self.mldsa.public, self.ed.public)
        self.fingerprint = recover.fingerprint(self.keys)

    def sign(self, context, message):
        return {"mldsa65": b64(self.mldsa.sign(message, context)), "ed25519": b64(self.ed.sign(message))}


# Fragments. fragment.md, "Bytes".


def share(value, k):
    """Polynomials of `value`: a function of x giving "share at x"."""
    coefficients = [os.urandom(len(value)) for _ in range(k - 1)]

    def at(x):
        total, power = value, 1
        for row in coefficients:
            power = recover.gf_mul(power, x)
            total = recover.xor(total, row.translate(recover.times(power)))
        return total

    return at


def hexid():
    return os.urandom(16).hex()


def deal(dealer, data, path, *, vault, object_id=None, version=1, deal_id=None, set_id=None, k=2, n=3, xs=None, suite=1, chunk_log2=16,
         generation=0, key=None, f=None, runs=(0,), unproven=(), kind="application/octet-stream", created=TIME % (0, 0), meta=None,
         mangle=None):  # fmt: skip
    """Fragments of one object: {x: bytes}, and a record of what was drawn."""
    object_id, deal_id, set_id = object_id or hexid(), deal_id or hexid(), set_id or hexid()
    key, f = key or os.urandom(32), f or os.urandom(32)
    xs = xs or range(1, n + 1)
    ids = [bytes.fromhex(one) for one in (vault, object_id, deal_id)]
    common = bytes([suite, k, n, chunk_log2, 0]) + b"".join(ids) + struct.pack(">QI", version, generation) + bytes.fromhex(set_id) + b"\0\0"
    content = sha256(b"fragment/1 content", bytes([suite, chunk_log2]), *ids, struct.pack(">Q", version))
    padded = recover.padme(max(len(data), 1024))
    text = data + bytes(padded - len(data))
    size = 1 << chunk_log2
    chunks = [text[at : at + size] for at in range(0, padded, size)]
    kt, km = hkdf(key, b"chunk", content), hkdf(key, b"manifest")
    salts = {start: os.urandom(8) for start in runs}
    totals = struct.pack(">QIH", padded, len(chunks), len(salts)) + b"".join(struct.pack(">I", s) + salts[s] for s in sorted(salts))

    value = {"v": 1, "path": path, "type": kind, "created": created, "modified": created, "size": len(data), "sha256": sha256(data).hex(),
             "dealer": dealer.fingerprint, "user": "user-1"}  # fmt: skip
    value.update(meta or {})
    value["signature"] = dealer.sign(b"fragment/1 meta", b"fragment/1 meta" + content + bytes.fromhex(value["sha256"]) + jcs(value))
    raw = struct.pack(">I", len(jcs(value))) + jcs(value)
    raw += bytes(-len(raw) % 512)
    meta_at = share(raw + recover.gmac(kt, b"\xff" * 12, content, raw), k)
    key_at = share(key if suite == 1 else key + f, k)

    bodies = []
    for j, chunk in enumerate(chunks):
        last = bytes([j == len(chunks) - 1])
        salt = salts[max(s for s in salts if s <= j)]
        if suite == 1:
            tag = recover.gmac(kt, recover.u96(j), content, recover.u32(j), last, chunk)
            bodies.append((salt, last, share(chunk + tag, k)))
        else:
            sealing = hkdf(f, b"sealed", content, salt, recover.u32(j >> 16))
            sealed = seal(sealing, recover.u96(j), content + recover.u32(j) + last, chunk)
            width = -(-len(sealed) // k)
            sealed += bytes(k * width - len(sealed))
            parts = [sealed[i * width : (i + 1) * width] for i in range(k)]
            bodies.append((salt, last, lambda x, parts=parts: recover.combine(list(range(1, k + 1)), parts, x)))

    out, commitments = {}, {}
    for x in xs:
        frag_id, nonce, flags = os.urandom(16), os.urandom(64), bytes([x in unproven])
        inside = common + flags + bytes([x]) + frag_id + key_at(x)
        head = b"FRG1" + recover.u32(len(inside)) + inside
        kx = hkdf(key, b"fragment", bytes.fromhex(set_id), recover.u32(generation), bytes([x]), frag_id)
        pieces = [head]
        for j, (salt, last, at) in enumerate(bodies):
            body = at(x)
            if mangle:
                body = mangle(x, j, body)
            ftag = recover.gmac(kx, salt + recover.u32(j), recover.u32(j), last, body)
            pieces += [salt, body, bytes(16) if x in unproven else ftag]
        message = b"".join((b"fragment/1 manifest", common, flags, bytes([x]), frag_id, totals, sha256(key_at(x)), sha256(meta_at(x)), nonce))
        ktag = bytes(32) if x in unproven else recover.hmac.digest(km, message, "sha256")
        trailer = head + totals + meta_at(x) + ktag + nonce
        out[x] = b"".join(pieces) + trailer + recover.u32(len(trailer)) + b"1GRF"
        commitments[x] = sha256(b"fragment/1 commit", nonce, ktag, common, bytes([x]), frag_id).hex()
    drawn = {"object": object_id, "version": version, "dealId": deal_id, "k": k, "n": n, "layout": "shared" if suite == 1 else "sealed",
             "size": len(data), "sha256": sha256(data).hex(), "type": kind, "created": created}  # fmt: skip
    return out, dict(drawn, key=key, f=f, commitments=commitments, set_id=set_id)


def seal(key, nonce, aad, text):
    pure = recover.PureGcm()
    stream = pure._key(key)[0].counters(nonce, 2, (len(text) + 15) // 16)
    sealed = recover.xor(text, stream[: len(text)])
    return sealed + pure._tag(key, nonce, aad, sealed)


# A vault in folders. vault.md.


class VaultMaker:
    def __init__(self, folder, dealer, k=2, n=3, suite=1):
        self.folder, self.dealer, self.k, self.n, self.suite = folder, dealer, k, n, suite
        self.vault = hexid()
        self.ids = {x: hexid() for x in range(1, n + 1)}
        self.sequence, self.epoch, self.clock = 0, 0, 0
        self.former = []
        self.lines, self.segments, self.catalogue, self.previous = [], [], None, None
        for x in self.ids:
            self.write(x, "location.json", jcs({"v": 1, "vault": self.vault, "location": self.ids[x]}))

    def place(self, x):
        return os.path.join(self.folder, "abcdefghi"[x - 1])

    def write(self, x, name, data):
        path = os.path.join(self.place(x), *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def now(self):
        self.clock += 1
        return TIME % divmod(self.clock, 60)

    def deal(self, data, path, at=None, **more):
        """Write fragments to the locations; returns the "deal" line. `at`: the x's that are really written."""
        more = dict({"k": self.k, "n": self.n, "suite": self.suite, "created": self.now()}, **more)
        dealer = more.pop("dealer", self.dealer)
        fragments, drawn = deal(dealer, data, path, vault=self.vault, **more)
        rows = []
        for x, raw in fragments.items():
            name = hexid()
            name = name[:2] + "/" + name
            if at is None or x in at:
                self.write(x, name, raw)
            rows.append({"x": x, "location": self.ids.get(x, hexid()), "name": name, "commitment": drawn["commitments"][x]})
        line = {name: drawn[name] for name in ("object", "version", "dealId", "k", "n", "layout", "size", "type", "created")}
        return dict(line, op="deal", fragments=rows)

    def put(self, path, data, file=None, number=1, **more):
        """A file as the product writes it: fragments, and two lines of the journal."""
        line = self.deal(data, path, **more)
        self.lines.append(line)
        return self.name(path, line, file, number)

    def name(self, path, line, file=None, number=1):
        file = file or hexid()
        self.lines.append({"op": "file", "file": file, "path": path, "number": number, "object": line["object"], "version": line["version"],
                           "dealId": line["dealId"], "created": line["created"], "modified": line["created"]})  # fmt: skip
        return file, line

    def journal(self, kind="segment", lines=None, **more):
        """Write the pending lines as a segment, or `lines` as a snapshot."""
        self.sequence += 1
        top = {"v": 1, "kind": kind, "vault": self.vault, "sequence": self.sequence, "created": self.now()}
        text = b"".join(jcs(line) + b"\n" for line in [top] + (self.lines if lines is None else lines))
        line = self.deal(text, "catalogue/%016x" % self.sequence, kind=recover.CATALOGUE_TYPE, **more)
        ref = {"object": line["object"], "version": line["version"], "dealId": line["dealId"], "sequence": self.sequence}
        ref["fragments"] = [{name: row[name] for name in ("x", "location", "name")} for row in line["fragments"]]
        if kind == "snapshot":
            self.catalogue, self.segments = ref, []
        else:
            self.segments.append(ref)
        self.lines = []
        return line

    def head(self, places=None, dealer=None, **changes):
        self.epoch += 1
        dealer = dealer or self.dealer
        former = [{"mldsa65": b64(one.keys.mldsa65), "ed25519": b64(one.keys.ed25519)} for one in self.former]
        value = {"v": 1, "vault": self.vault, "epoch": self.epoch, "formerDealers": former, "k": self.k, "n": self.n, "layout": "shared" if self.suite == 1 else "sealed",
                 "locations": [{"id": self.ids[x], "x": x} for x in self.ids], "catalogue": self.catalogue, "segments": self.segments,
                 "previous": self.previous, "created": self.now(), "dealer": {"mldsa65": b64(dealer.keys.mldsa65), "ed25519": b64(dealer.keys.ed25519)}}  # fmt: skip
        value.update(changes)
        value["signature"] = dealer.sign(b"fragment/1 head", b"fragment/1 head" + jcs(value))
        raw = jcs(value)
        for x in places or self.ids:
            self.write(x, "head/%s/%016x" % (self.vault, value["epoch"]), raw)
        self.previous = sha256(raw).hex()
