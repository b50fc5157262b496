"""Tests of recovery/recover.py that run inside one process. The node test beside this file runs them.

Environment: VECTORS_DIR (default ../shared/vectors beside the checkout) for published signature vectors.
"""

import glob
import gzip
import itertools
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "recovery"), HERE]

import recover  # noqa: E402

FRAGMENTS = os.path.join(ROOT, "test", "data", "fragment")
VECTORS = os.environ.get("VECTORS_DIR") or os.path.join(os.path.dirname(ROOT), "shared", "vectors")


def load(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def load_json(*parts):
    return json.loads(load(*parts))


def keys_of(case):
    return recover.DealerKeys(bytes.fromhex(case["dealerKeys"]["mldsa65"]), bytes.fromhex(case["dealerKeys"]["ed25519"]))


def location(label, *files):
    """A location that serves `files`: (name, bytes)."""
    out = recover.Location(label)
    out.sources = [(name, recover.BytesSource(data)) for name, data in files]
    return out


def read(files, one_location=False, out=None, **options):
    """Recover from fragments in memory. Returns (report as JSON, {path: bytes})."""
    if one_location:
        locations = [location("one", *files)]
    else:
        locations = [location(name, (name, data)) for name, data in files]
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "out")
        report = recover.recover(locations, recover.Options(out=target, **options)).json()
        restored = {row["path"]: load(row["target"]) for row in report["files"] if "target" in row}
        parts = glob.glob(os.path.join(target, "**", "*.part"), recursive=True)
        assert not parts, parts
    return report, restored


def names(rows):
    return sorted(row["file"] for row in rows)


def vector_cases():
    return sorted(os.path.dirname(path) for path in glob.glob(os.path.join(FRAGMENTS, "s*", "expect.json")))


def vector_data(folder, case):
    if case["data"] == "data.bin":
        return load(folder, "data.bin")
    return bytes((i * 7 + 3) % 251 for i in range(case["size"]))


class GoodVectors(unittest.TestCase):
    def test_any_k_restore_and_any_fewer_give_nothing(self):
        cases = vector_cases()
        self.assertGreaterEqual(len(cases), 9)
        for folder in cases:
            case = load_json(folder, "expect.json")
            data = vector_data(folder, case)
            files = [("%d.frg" % i, load(folder, "%d.frg" % i)) for i in range(1, case["n"] + 1)]
            for count in range(1, case["n"] + 1):
                for some in itertools.combinations(files, count):
                    with self.subTest(case=os.path.basename(folder), files=[name for name, _ in some]):
                        report, restored = read(some, dealer_keys=[keys_of(case)])
                        if count < case["k"]:
                            self.assertEqual((report["exit"], restored), (2, {}))
                            self.assertEqual(report["blames"], [])
                        else:
                            self.assertEqual(report["exit"], 0, report)
                            self.assertEqual(list(restored.values()), [data])
                            self.assertEqual(report["files"][0]["dealer"], "verified")
                            self.assertEqual(recover.sha256(data).hex(), case["sha256"])

    def test_meta_key_and_tags_are_those_of_the_writer(self):
        for folder in vector_cases():
            case = load_json(folder, "expect.json")
            files = [location(str(i), ("f", load(folder, "%d.frg" % i))) for i in range(1, case["n"] + 1)]
            sets = recover.scan(files, recover.Report())[case["vault"]]
            self.assertEqual(len(sets), 1)
            one = sets[0].resolve()
            self.assertEqual(one.key.hex(), case["debug"]["K"])
            self.assertEqual(one.common.content_id.hex(), case["debug"]["contentId"])
            self.assertEqual(one.meta().json.decode(), case["metaJson"])
            self.assertEqual(len(one.usable), case["n"])


def outcome(read_case, report):
    """What bad/expect.json speaks of, out of a report."""
    done = [row for row in report["files"] if row["state"] == "restored"]
    got = {
        "ok": bool(done),
        "blames": names(report["blames"]),
        "heads": sorted((row["file"], row["damaged"]) for row in report["heads"]),
        "refused": names(report["refused"]),
        "conflict": names(report["conflict"]),
        "from": names(done[0]["from"]) if done else [],
    }
    wished = {"ok": read_case["ok"], "blames": sorted(read_case.get("blames", []))}
    wished["heads"] = sorted((row["file"], row["damaged"]) for row in read_case.get("heads", []))
    for name in ("refused", "conflict"):
        wished[name] = read_case.get(name, [])
    if wished["conflict"] is True:
        wished["conflict"] = read_case["files"]
    wished["from"] = sorted(read_case["from"]) if "from" in read_case else got["from"]
    return got, wished


class BadVectors(unittest.TestCase):
    def test_every_read_is_answered_as_expected(self):
        reads = 0
        for case in load_json(FRAGMENTS, "bad", "expect.json"):
            for read_case in case["reads"]:
                with self.subTest(folder=case["folder"], read=read_case):
                    files = [(name, load(FRAGMENTS, "bad", case["folder"], name)) for name in read_case["files"]]
                    asked = read_case.get("asked", {})
                    options = {"dealer_keys": [keys_of(case)], "k": asked.get("k")}
                    if "dealId" in asked:
                        options["deal"] = (asked["dealId"],)
                    report, restored = read(files, read_case.get("oneLocation", False), **options)
                    got, wished = outcome(read_case, report)
                    self.assertEqual(got, wished, report)
                    for data in restored.values():
                        self.assertEqual(recover.sha256(data).hex(), case["sha256"])
                    reads += 1
        self.assertGreaterEqual(reads, 18)


def flip_range(bounds):
    """Flip every offset of 2.frg in [start, end): (frames and records blamed, HEAD copies reported, mistakes)."""
    recover.GCM = recover.GCM or recover.choose_gcm()
    folder = os.path.join(FRAGMENTS, "s1-2of3-13")
    case = load_json(folder, "expect.json")
    data = vector_data(folder, case)
    one, two, three = (load(folder, "%d.frg" % i) for i in (1, 2, 3))
    others = [location("1.frg", ("1.frg", one)), location("3.frg", ("3.frg", three))]
    blamed = heads = 0
    mistakes = []
    for at in range(*bounds):
        bent = bytearray(two)
        bent[at] ^= 1 << (at % 8)
        flipped = location("2.frg", ("2.frg", bytes(bent)))
        for companions in (others, others[:1]):
            report, text = quick_read([companions[0], flipped] + companions[1:], keys_of(case))
            bad, copies = names(report.rows("blames")), names(report.rows("heads"))
            if bad not in ([], ["2.frg"]) or copies not in ([], ["2.frg"]):
                mistakes.append((at, bad, copies))
            if text is not None and (text != data or not (bad or copies)):
                mistakes.append((at, "silence"))
            if len(companions) == 2:
                if text is None or bool(bad) == bool(copies):
                    mistakes.append((at, bad, copies))
                blamed, heads = blamed + bool(bad), heads + bool(copies)
            elif text is not None and not copies:
                mistakes.append((at, "read without its k"))
    return blamed, heads, mistakes


class Memory(recover.Target):
    """A target that keeps the last file in memory."""

    def __init__(self):
        self.data = None

    def start(self):
        pass

    def write(self, parts, fill, meta):
        out = []
        fill(out.append)
        self.data = b"".join(out)
        return "/".join(parts), "restored"


def quick_read(locations, keys):
    report, memory = recover.Report(), Memory()
    for one in locations:
        one.names = set()
    for vault_id, sets in recover.scan(locations, report).items():
        vault = recover.Vault(vault_id, sets, [], recover.Options(dealer_keys=[keys]), report, memory)
        vault.given = {}
        vault.take_head(locations)
        vault.restore(vault.plan())
        vault.finish()
    return report, memory.data


class Flips(unittest.TestCase):
    def test_every_flip_is_blamed_or_the_copy_reported_never_silence(self):
        size = os.path.getsize(os.path.join(FRAGMENTS, "s1-2of3-13", "2.frg"))
        step = 200
        ranges = [(at, min(size, at + step)) for at in range(0, size, step)]
        with multiprocessing.get_context("spawn").Pool(min(4, os.cpu_count() or 1)) as pool:
            results = pool.map(flip_range, ranges)
        self.assertEqual([m for _, _, mistakes in results for m in mistakes], [])
        self.assertEqual(sum(blamed for blamed, _, _ in results), 6330)
        self.assertEqual(sum(heads for _, heads, _ in results), 282)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


class Damage(unittest.TestCase):
    def pieces(self, name):
        folder = os.path.join(FRAGMENTS, name)
        case = load_json(folder, "expect.json")
        return case, vector_data(folder, case), [load(folder, "%d.frg" % i) for i in range(1, case["n"] + 1)]

    def test_different_records_of_two_of_three_locations(self):
        for name in ("s1-2of3-70000", "s2-2of3-70000", "s2-2of3-70000-two-runs"):
            case, data, (one, two, three) = self.pieces(name)
            record0, trailer = 300, recover.struct.unpack(">I", two[-8:-4])[0]
            one, two = flip(one, record0), flip(two, len(two) - 8 - trailer - 20)
            files = [("1.frg", one), ("2.frg", two), ("3.frg", three)]
            report, restored = read(files, dealer_keys=[keys_of(case)])
            self.assertEqual(list(restored.values()), [data])
            self.assertEqual(names(report["blames"]), ["1.frg", "2.frg"])
            self.assertEqual(report["exit"], 3)
            self.assertEqual(names(report["files"][0]["from"]), ["1.frg", "2.frg", "3.frg"])
            report, restored = read(files[:2], dealer_keys=[keys_of(case)])
            self.assertEqual((report["exit"], restored), (2, {}))

    def test_fast_reads_only_k(self):
        case, data, (one, two, three) = self.pieces("s1-2of3-70000")
        files = [("1.frg", one), ("2.frg", two), ("3.frg", flip(three, 300))]
        self.assertEqual(names(read(files)[0]["blames"]), ["3.frg"])
        report, restored = read(files, fast=True)
        self.assertEqual((report["blames"], list(restored.values())), ([], [data]))

    def test_random_bytes_never_raise(self):
        case, data, (one, two, three) = self.pieces("s1-2of3-13")
        rubbish = [b"", b"1GRF", b"\0\0\0\0001GRF", b"FRG1" + bytes(2000) + b"1GRF", two[:500] + two[-500:], two * 2, two[7:], b"\xff" * 7000]
        for junk in rubbish:
            report, restored = read([("1.frg", one), ("2.frg", junk), ("3.frg", three)])
            self.assertEqual((names(report["blames"]), list(restored.values())), (["2.frg"], [data]))

    def test_same_x_from_two_locations_is_one_share(self):
        case, data, (one, two, three) = self.pieces("s1-2of3-13")
        report, restored = read([("1.frg", one), ("copy.frg", one)])
        self.assertEqual((report["exit"], restored, report["blames"]), (2, {}, []))

    def test_who_says_k(self):
        case, data, (one, two, three) = self.pieces("s1-2of3-13")
        report, restored = read([("1.frg", one), ("2.frg", two)], k=3)
        self.assertEqual((report["exit"], names(report["refused"])), (2, ["1.frg", "2.frg"]))
        report, restored = read([("1.frg", one), ("2.frg", two)], k=2)
        self.assertEqual(report["exit"], 0)


class HeadCopies(unittest.TestCase):
    def test_a_damaged_copy_makes_no_other_vault_and_no_other_object(self):
        folder = os.path.join(FRAGMENTS, "s1-2of3-13")
        case = load_json(folder, "expect.json")
        files = [("%d.frg" % i, load(folder, "%d.frg" % i)) for i in (1, 2, 3)]
        trailer = len(files[0][1]) - 8 - recover.struct.unpack(">I", files[0][1][-8:-4])[0]
        for at in (20, 36, 50, 60, 70):  # vault, object, dealId, version, setId
            for start in (0, trailer):
                bent = [(files[0][0], flip(files[0][1], start + at))] + files[1:]
                report, restored = read(bent, dealer_keys=[keys_of(case)])
                self.assertEqual((len(report["vaults"]), len(report["files"]), names(report["heads"])), (1, 1, ["1.frg"]))
                self.assertEqual((list(restored.values()), report["blames"]), ([vector_data(folder, case)], []))
            both = flip(flip(files[0][1], at), trailer + at)
            report, restored = read([(files[0][0], both)] + files[1:])
            self.assertIn(vector_data(folder, case), restored.values())
            self.assertEqual(report["exit"], 3)


class RandomHarm(unittest.TestCase):
    def test_no_harm_to_fewer_than_n_minus_k_changes_a_byte_or_blames_the_honest(self):
        seed = int.from_bytes(os.urandom(4), "big")
        dice = random.Random(seed)
        folders = [folder for folder in vector_cases() if "70000" not in folder]
        for turn in range(400):
            folder = dice.choice(folders)
            case = load_json(folder, "expect.json")
            files = [bytearray(load(folder, "%d.frg" % i)) for i in range(1, case["n"] + 1)]
            hurt = dice.sample(range(case["n"]), dice.randint(0, case["n"]))
            for one in hurt:
                for _ in range(dice.choice((1, 1, 3, 20))):
                    harm(dice, files, one)
            locations = [location(str(i), (str(i), bytes(data))) for i, data in enumerate(files)]
            with self.subTest(seed=seed, turn=turn, folder=os.path.basename(folder), hurt=hurt):
                report, text = quick_read(locations, keys_of(case))
                self.assertTrue({int(name) for name in names(report.rows("blames"))} <= set(hurt))
                if case["n"] - len(hurt) >= case["k"]:
                    self.assertEqual(text, vector_data(folder, case))


def harm(dice, files, one):
    data = files[one]
    at = dice.choice((dice.randrange(len(data)), dice.randrange(200), max(0, len(data) - 1 - dice.randrange(400))))
    kind = dice.random()
    if kind < 0.6:
        data[at : at + 1] = bytes([dice.randrange(256)])
    elif kind < 0.75:
        del data[at : at + dice.randint(1, 50)]
    elif kind < 0.9:
        data[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 50)))
    else:
        data[at : at + 40] = files[dice.randrange(len(files))][at : at + 40]


class PureEqualsLibcrypto(unittest.TestCase):
    def setUp(self):
        self.chosen = recover.GCM

    def tearDown(self):
        recover.GCM = self.chosen

    def test_tags_and_texts(self):
        pure = recover.PureGcm()
        self.assertTrue(recover._works(pure))
        if isinstance(self.chosen, recover.PureGcm):
            self.skipTest("no libcrypto here")
        for length in list(range(0, 70)) + [255, 256, 257, 1000, 4096, 65552]:
            key, nonce, text = os.urandom(32), os.urandom(12), os.urandom(length)
            tag = self.chosen.gmac(key, nonce, [text[:5], text[5:]])
            self.assertEqual(pure.gmac(key, nonce, [text]), tag)
            sealed = seal(pure, key, nonce, text[:9], text)
            self.assertEqual(self.chosen.open(key, nonce, text[:9], sealed), text)
            self.assertEqual(pure.open(key, nonce, text[:9], sealed), text)
            self.assertIsNone(pure.open(key, nonce, text[:9], flip(sealed, length // 2)))

    def test_vectors(self):
        recover.GCM = recover.PureGcm()
        for folder in vector_cases():
            case = load_json(folder, "expect.json")
            report, restored = read([("%d.frg" % i, load(folder, "%d.frg" % i)) for i in range(1, case["n"] + 1)])
            self.assertEqual((report["exit"], list(restored.values())), (0, [vector_data(folder, case)]))

    def test_wycheproof(self):
        for group, test in published(self, "wycheproof/aes_gcm_test.json", "AES-256-GCM"):
            if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
                continue
            raw = {name: bytes.fromhex(test[name]) for name in ("key", "iv", "aad", "msg", "ct", "tag")}
            got = recover.PureGcm().open(raw["key"], raw["iv"], raw["aad"], raw["ct"] + raw["tag"])
            self.assertEqual(got, raw["msg"] if test["result"] == "valid" else None, test["tcId"])


def seal(pure, key, nonce, aad, text):
    """AES-256-GCM sealing, for writers in tests."""
    stream = pure._key(key)[0].counters(nonce, 2, (len(text) + 15) // 16) if text else b""
    sealed = recover.xor(text, stream[: len(text)]) if text else b""
    return sealed + pure._tag(key, nonce, aad, sealed)


def published(test, name, what):
    """(group, test) of a Wycheproof file, or a skip with one line."""
    path = os.path.join(VECTORS, name)
    found = [p for p in (path, path + ".gz") if os.path.exists(p)]
    if not found:
        test.skipTest("%s: published vectors are not here (%s)" % (what, name))
    raw = load(found[0])
    value = json.loads(gzip.decompress(raw) if found[0].endswith(".gz") else raw)
    cases = [(group, one) for group in value["testGroups"] for one in group["tests"]]
    test.assertGreater(len(cases), 0)
    return cases


class Signatures(unittest.TestCase):
    def test_mldsa65_wycheproof(self):
        for group, test in published(self, "wycheproof/mldsa_65_verify_test.json", "ML-DSA-65"):
            fields = (group["publicKey"], test["msg"], test["sig"], test.get("ctx", ""))
            good = recover.mldsa65_verify(*map(bytes.fromhex, fields))
            self.assertEqual(good, test["result"] == "valid", test["tcId"])

    def test_mldsa65_acvp(self):
        folder = os.path.join(VECTORS, "acvp", "ML-DSA-sigVer-FIPS204")
        if not os.path.isdir(folder):
            self.skipTest("ML-DSA-65: NIST ACVP vectors are not here")
        prompt, expected = (
            json.loads(gzip.decompress(load(folder, name))) for name in ("prompt.json.gz", "expectedResults.json.gz")
        )
        passed = {t["tcId"]: t["testPassed"] for g in expected["testGroups"] for t in g["tests"]}
        count = 0
        for group in prompt["testGroups"]:
            kind = (group["parameterSet"], group.get("signatureInterface"), group.get("preHash"))
            if kind != ("ML-DSA-65", "external", "pure"):
                continue
            for test in group["tests"]:
                fields = (test["pk"], test["message"], test["signature"], test["context"])
                self.assertEqual(recover.mldsa65_verify(*map(bytes.fromhex, fields)), passed[test["tcId"]], test["tcId"])
                count += 1
        self.assertGreater(count, 0)

    def test_ed25519_wycheproof(self):
        for group, test in published(self, "wycheproof/ed25519_test.json", "Ed25519"):
            good = recover.ed25519_verify(*map(bytes.fromhex, (group["publicKey"]["pk"], test["msg"], test["sig"])))
            self.assertEqual(good, test["result"] == "valid", test["tcId"])

    def test_rfc_8032_first_vector(self):
        public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        signature = bytes.fromhex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        )
        self.assertTrue(recover.ed25519_verify(public, b"", signature))
        self.assertFalse(recover.ed25519_verify(public, b"x", signature))


class Json(unittest.TestCase):
    def test_numbers_of_rfc_8785_appendix_b(self):
        for bits, text in (
            ("0000000000000001", "5e-324"), ("7fefffffffffffff", "1.7976931348623157e+308"), ("4340000000000000", "9007199254740992"),
            ("4430000000000000", "295147905179352830000"), ("44b52d02c7e14af5", "9.999999999999997e+22"), ("44b52d02c7e14af6", "1e+23"),
            ("444b1ae4d6e2ef4e", "999999999999999700000"), ("444b1ae4d6e2ef50", "1e+21"), ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
            ("3eb0c6f7a0b5ed8d", "0.000001"), ("41b3de4355555553", "333333333.3333332"), ("43143ff3c1cb0959", "1424953923781206.2"),
        ):  # fmt: skip
            self.assertEqual(recover._number_text(recover.struct.unpack(">d", bytes.fromhex(bits))[0]), text)

    def test_what_is_not_its_own_form_is_refused(self):
        for good in (b"{}", b'{"a":1,"b":[true,null,"\xc3\xa9\\n\\u001f"]}', '{"\U0001f600":1,"\ufb33":2}'.encode()):
            self.assertEqual(recover.jcs(recover.parse_jcs(good, "x")), good)
        for bad in (b"", b"[]", b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a": 1}', b'{"a":"\\u00e9"}', b'{"a":NaN}', b'{"a":-0}',
                    b'{"a":"\\ud800"}', b'{"a":9007199254740993}', b"\xff", b"[" * 5000, b'{"a":' * 5000, b'{"a":' + b"1" * 5000 + b"}"):  # fmt: skip
            with self.assertRaises(recover.Damaged):
                recover.parse_jcs(bad, "x")


class Names(unittest.TestCase):
    def test_hostile_names(self):
        hostile = ["/../x", "/a/../../x", "..", "/a//b", "//etc/passwd", "/a/./b", "/a\0b", "/con", "/a/NUL.txt", "/com1 .x", "/lpt\u00b9", "C:/x",
                   "/c:x", "/a\\..\\b", "/a/b.", "/a ", "", "/", "/a/", "/\x1b[2J", "/\ud800", "/" + "n" * 300, "/a" * 2000, "/aux .txt"]  # fmt: skip
        for path in hostile:
            self.assertIsNone(recover.safe_parts(path), repr(path))
        for path in ("/a", "a/b.txt", "/console/Auxiliary.txt", "/..x/...y", "/\u00e4 b/c (1).dcm", "/scan 12:30.dcm"):
            self.assertIsNotNone(recover.safe_parts(path), repr(path))

    def test_collisions_links_and_existing_files(self):
        meta = collections_meta(b"new")
        with tempfile.TemporaryDirectory() as root:
            out, away = os.path.join(root, "out"), os.path.join(root, "away")
            os.mkdir(out)
            os.mkdir(away)
            os.symlink(away, os.path.join(out, "link"))
            with open(os.path.join(out, "Here.txt"), "w") as file:
                file.write("old")
            target = recover.Target(out)
            made = [
                os.path.relpath(target.write(parts, lambda write: write(b"new"), meta)[0], out)
                for parts in (["A", "x"], ["a", "x"], ["A", "X"], ["Here.txt"], ["caf\u00e9"], ["cafe\u0301"], ["link", "x"], ["A"])
            ]
            self.assertEqual(made, ["A/x", "a (2)/x", "A/X (2)", "Here (2).txt", "caf\u00e9", "cafe\u0301 (2)", "link (2)/x", "A (3)"])
            self.assertEqual(os.listdir(away), [])
            self.assertEqual(load(out, "Here.txt"), b"old")
            again = recover.Target(out).write(["A", "x"], lambda write: write(b"new"), meta)
            self.assertEqual((os.path.relpath(again[0], out), again[1]), ("A/x", "already there"))

    def test_a_failed_file_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as out:

            def fill(write):
                write(b"half")
                raise recover.Unreadable("gone")

            with self.assertRaises(recover.Unreadable):
                recover.Target(out).write(["x"], fill, collections_meta(b"halfwhole"))
            self.assertEqual(os.listdir(out), [])

    def test_links_and_special_files_in_a_location_are_not_opened(self):
        with tempfile.TemporaryDirectory() as root:
            os.symlink("/etc/passwd", os.path.join(root, "1.frg"))
            os.mkfifo(os.path.join(root, "2.frg"))
            os.symlink("/", os.path.join(root, "ab"))
            shutil.copy(os.path.join(FRAGMENTS, "s1-2of3-13", "1.frg"), os.path.join(root, "3.frg"))
            found = recover.find_locations([[root]])[0]
            self.assertEqual([name for name, _ in found.sources], ["3.frg"])


def collections_meta(data):
    return recover.Meta(b"", {}, "/x", "", "", "2026-01-02T03:04:05Z", len(data), recover.hashlib.sha256(data).digest())


if __name__ == "__main__":
    recover.GCM = recover.choose_gcm("--pure" in sys.argv)
    sys.argv = [arg for arg in sys.argv if arg != "--pure"]
    unittest.main()
