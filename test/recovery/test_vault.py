"""Whole vaults, written by make_vault.py after the pages, restored by recovery/recover.py."""

import glob
import os
import shutil
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(HERE)), "recovery"), HERE]

import recover  # noqa: E402

recover.GCM = recover.choose_gcm()

import make_vault  # noqa: E402

SITE, LIAR = make_vault.Dealer("site"), make_vault.Dealer("liar")
TYPE = recover.CATALOGUE_TYPE


def tree(folder):
    """{relative path: bytes, or None for a folder}."""
    out = {}
    for here, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(here, name)
            with open(path, "rb") as file:
                out[os.path.relpath(path, folder)] = file.read()
        for name in folders:
            out[os.path.relpath(os.path.join(here, name), folder) + "/"] = None
    return out


def files_of(folder):
    return {path: data for path, data in tree(folder).items() if data is not None}


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


class VaultTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        self.tries = 0

    def make(self, **more):
        return make_vault.VaultMaker(os.path.join(self.root, "places"), SITE, **more)

    def restore(self, places, **options):
        """(report, {path: bytes}) from the folders of `places`, e.g. "ac"."""
        self.tries += 1
        out = options.pop("out", os.path.join(self.root, "out-%d" % self.tries))
        groups = [[os.path.join(self.root, "places", one)] for one in places]
        report = recover.recover(recover.find_locations(groups), recover.Options(out=out, **options)).json()
        self.out = out
        self.assertEqual(glob.glob(os.path.join(out, "**", ".*.part"), recursive=True), [])
        return report, files_of(out)


def busy_vault(v):
    """Everything a catalogue can say. Returns the files expected."""
    v.lines += [{"op": "folder", "path": "/empty", "created": v.now()}, {"op": "folder", "path": "/old", "created": v.now()}]
    keep, _ = v.put("/keep.txt", b"first")
    _, gone = v.put("/old/gone.txt", b"gone")
    _, plain = v.put("/old/sub/deep.bin", bytes(range(256)) * 300)
    v.put("/removed.txt", b"removed")
    snapshot, v.lines = v.lines, []
    v.journal("snapshot", snapshot)
    v.put("/keep.txt", b"second", keep, 2)
    v.put("/keep.txt", b"third", keep, 3)
    v.name("/copy.bin", plain)
    v.lines += [
        {"op": "move", "from": "/old", "to": "/new/place"},
        {"op": "remove", "path": "/removed.txt"},
        {"op": "folder", "path": "/trash/x", "created": v.now()},
        {"op": "remove", "path": "/trash"},
    ]
    v.journal()
    v.lines += [
        {"op": "remove", "path": "/new/place/gone.txt"},
        {"op": "drop", "dealId": gone["dealId"]},
        {"op": "forget", "file": keep, "number": 2},
        {"op": "move", "from": "/copy.bin", "to": "/copied.bin"},
        {"op": "folder", "path": "/old", "created": v.now()},
    ]
    v.journal()
    v.head()
    # after the last segment: a new file, a new version, one that is older than what stands, one that is not whole
    v.deal(b"late", "/late/\u00e4.txt")
    v.deal(b"fourth", "/keep.txt")
    v.deal(b"ancient", "/keep.txt", created="2020-01-01T00:00:00Z")
    v.deal(b"half", "/keep.txt", at=(1,))
    return {
        "keep.txt": b"fourth", "new/place/sub/deep.bin": bytes(range(256)) * 300, "copied.bin": bytes(range(256)) * 300, "late/\u00e4.txt": b"late",
    }  # fmt: skip


class WholeVault(VaultTest):
    def test_any_k_locations_give_everything_back(self):
        for suite in (1, 2):
            self.setUp()
            expected = busy_vault(self.make(suite=suite))
            for places in ("ab", "ac", "cb", "abc"):
                report, files = self.restore(places)
                self.assertEqual(files, expected)
                self.assertEqual((report["exit"], report["blames"], report["missing"]), (0, [], []), report)
                self.assertTrue(all(row["dealer"] == "verified" for row in report["files"]))
                self.assertEqual(report["vaults"][0]["dealerKnownFrom"], "the vault only")
                self.assertIn("empty/", tree(self.out))
                self.assertIn("old/", tree(self.out))
                self.assertNotIn("trash/", tree(self.out))
            report, files = self.restore("b")
            self.assertEqual((report["exit"], files), (2, {}))

    def test_versions_listing_prefix_and_a_second_run(self):
        expected = busy_vault(self.make())
        report, files = self.restore("ac", all_versions=True)
        older = {"keep~version-1.txt": b"first", "keep~version-3.txt": b"third"}
        self.assertEqual((report["exit"], files), (0, dict(expected, **older)))
        again, files = self.restore("ac", all_versions=True, out=self.out)
        self.assertEqual((again["exit"], files), (0, dict(expected, **older)))
        self.assertEqual({row["state"] for row in again["files"]}, {"already there"})
        report, files = self.restore("ac", path="/new")
        self.assertEqual((report["exit"], list(files)), (0, ["new/place/sub/deep.bin"]))
        report, files = self.restore("ac", path="/nothing")
        self.assertEqual((report["exit"], files), (2, {}))
        report, files = self.restore("ac", list=True)
        self.assertEqual((report["exit"], files), (0, {}))
        self.assertEqual({row["path"] for row in report["files"]}, {"/" + path for path in expected})

    def test_the_fingerprint_of_the_sheet(self):
        expected = busy_vault(self.make())
        report, files = self.restore("ac", dealer=SITE.fingerprint)
        self.assertEqual((report["exit"], files), (0, expected))
        self.assertEqual(report["vaults"][0]["dealerKnownFrom"], "the fingerprint given")
        report, files = self.restore("ac", dealer=LIAR.fingerprint)
        self.assertEqual(report["exit"], 3)
        self.assertTrue(all(row["dealer"] == "not verified" for row in report["files"]))

    def test_without_a_head_the_catalogue_is_known_by_its_type(self):
        v = self.make()
        expected = busy_vault(v)
        for path in glob.glob(os.path.join(self.root, "places", "*", "head")):
            shutil.rmtree(path)
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], files), (0, expected))
        self.assertTrue(all(row["dealer"] == "not verified" for row in report["files"]))

    def test_an_empty_vault(self):
        self.make().head()
        report, files = self.restore("ab")
        self.assertEqual((report["exit"], files), (0, {}))


class LostCatalogue(VaultTest):
    def test_changes_up_to_the_first_missing_segment(self):
        v = self.make()
        v.put("/one", b"1")
        v.journal()
        v.put("/two", b"2")
        middle = v.journal()
        v.put("/three", b"3")
        v.lines.append({"op": "remove", "path": "/one"})
        v.journal()
        v.head()
        self.drop(v, middle)
        report, files = self.restore("ac")
        # /one is back, since its removal is not known; /two and /three are found by their META
        self.assertEqual((report["exit"], files), (3, {"one": b"1", "two": b"2", "three": b"3"}))

    def test_without_any_catalogue_by_meta(self):
        v = self.make()
        v.put("/a", b"old")
        v.put("/a", b"new")
        v.put("/b/c", b"c", object_id="0" * 31 + "1")
        v.put("/b/c", b"d", object_id="0" * 31 + "1", version=2)
        v.head(catalogue={"object": "1" * 32, "version": 1, "dealId": "2" * 32, "sequence": 1})
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], files), (3, {"a": b"new", "b/c": b"d"}))
        report, files = self.restore("ac", all_versions=True)
        self.assertEqual(files, {"a": b"new", "a~version-1": b"old", "b/c": b"d", "b/c~version-1": b"c"})

    def drop(self, v, line):
        for row in line["fragments"]:
            os.unlink(os.path.join(v.place(row["x"]), row["name"]))


class Harm(VaultTest):
    def test_each_location_in_turn_and_different_records(self):
        v = self.make()
        data = os.urandom(200000)
        _, line = v.put("/big", data)
        v.journal("snapshot", v.lines)
        v.head()
        names = {row["x"]: row["name"] for row in line["fragments"]}
        paths = {x: os.path.join(v.place(x), name) for x, name in names.items()}
        whole = {x: read_bytes(path) for x, path in paths.items()}
        for x in names:
            v.write(x, names[x], whole[x][:-100])
            report, files = self.restore("abc")
            self.assertEqual((report["exit"], files), (3, {"big": data}))
            self.assertEqual([(os.path.basename(row["location"]), row["file"]) for row in report["blames"]], [("abc"[x - 1], names[x])])
            os.unlink(paths[x])
            report, files = self.restore("abc")
            self.assertEqual((report["exit"], files), (3, {"big": data}))
            self.assertEqual([row["file"] for row in report["missing"]], [names[x]])
            v.write(x, names[x], whole[x])
        record = 65536 + 16 + 24
        for x, j in ((1, 0), (2, 1)):
            bent = bytearray(whole[x])
            bent[141 + j * record + 99] ^= 1
            v.write(x, names[x], bytes(bent))
        report, files = self.restore("abc")
        self.assertEqual((report["exit"], files), (3, {"big": data}))
        self.assertEqual(len(report["blames"]), 2)
        report, files = self.restore("ab")
        self.assertEqual((report["exit"], files), (2, {}))

    def test_a_version_that_is_lost_is_not_replaced_by_an_older_one(self):
        v = self.make()
        file, _ = v.put("/a", b"old")
        _, line = v.put("/a", b"new", file, 2)
        v.put("/b", b"b")
        v.journal("snapshot", v.lines)
        v.head()
        for row in line["fragments"][1:]:
            os.unlink(os.path.join(v.place(row["x"]), row["name"]))
        report, files = self.restore("abc")
        self.assertEqual((report["exit"], files), (3, {"b": b"b"}))
        report, files = self.restore("abc", all_versions=True)
        self.assertEqual((report["exit"], files), (3, {"b": b"b", "a~version-1": b"old"}))

    def test_hostile_paths_stay_inside(self):
        v = self.make()
        v.put("/../../escape", b"1")
        v.put("/ok/../../x", b"2")
        v.put("/con", b"3")
        v.put("/Read", b"4")
        v.put("/read", b"5")
        v.lines.append({"op": "folder", "path": "/../up", "created": v.now()})
        v.journal("snapshot", v.lines)
        v.head()
        v.deal(b"6", "../../late")
        before = set(os.listdir(self.root))
        report, files = self.restore("ab")
        self.assertEqual(set(os.listdir(self.root)) - before, {os.path.basename(self.out)})
        self.assertEqual(report["exit"], 3)
        self.assertEqual(sorted(files.values()), [b"1", b"2", b"3", b"4", b"5", b"6"])
        inside = {path for path in files if not path.startswith("unsafe-names/")}
        self.assertEqual(inside, {"Read", "read (2)"})

    def test_what_the_dealer_did_not_sign(self):
        v = self.make()
        v.put("/good", b"good")
        v.journal("snapshot", v.lines)
        v.head()
        v.deal(b"invented", "/good", dealer=LIAR)
        v.deal(b"invented", "/other", dealer=LIAR)
        report, files = self.restore("abc")
        self.assertEqual((report["exit"], files, len(report["refused"])), (3, {"good": b"good"}, 6))
        report, files = self.restore("abc", unverified=True)
        self.assertEqual((report["exit"], files), (3, {"good": b"invented", "other": b"invented"}))


class Description(VaultTest):
    def test_the_vault_tells_its_name_and_where_its_other_places_are(self):
        v = self.make()
        v.put("/a", b"a")
        v.lines.append({"op": "vault", "name": "Biobank", "requireAll": False, "created": v.now()})
        for x, label in ((1, "old"), (1, "one"), (2, "two"), (3, "three")):
            v.lines.append({"op": "location", "location": v.ids[x], "label": label, "kind": "folder", "place": "folder:/mnt/" + label, "added": v.now()})
        v.lines.append({"op": "location", "location": "ab" * 16, "label": "left", "kind": "folder", "place": "folder:/left", "added": v.now()})
        v.lines.append({"op": "leave", "location": "ab" * 16})
        v.journal("snapshot", v.lines)
        v.head()
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], files, report["vaults"][0]["name"]), (0, {"a": b"a"}, "Biobank"))
        self.assertEqual(
            [(row["label"], row["place"], row["here"]) for row in report["vaults"][0]["locations"]],
            [("one", "folder:/mnt/one", True), ("two", "folder:/mnt/two", False), ("three", "folder:/mnt/three", True)],
        )


class Heads(VaultTest):
    def vault(self):
        v = self.make()
        v.put("/a", b"a")
        v.journal("snapshot", v.lines)
        v.head()
        return v

    def test_a_head_by_a_stranger(self):
        v = self.vault()
        v.head(places=(3,), dealer=LIAR, k=2, catalogue=None, segments=[])
        report, files = self.restore("ac")
        self.assertEqual((report["vaults"][0]["head"]["epoch"], files), (1, {"a": b"a"}))
        shutil.rmtree(os.path.join(v.place(3), "head"))
        v.epoch = 8
        v.head(places=(3,), dealer=LIAR, catalogue=None, segments=[])
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], report["vaults"][0]["head"], files), (3, None, {"a": b"a"}))
        report, files = self.restore("ac", dealer=SITE.fingerprint)
        self.assertEqual((report["vaults"][0]["head"]["epoch"], files), (1, {"a": b"a"}))

    def test_new_keys_of_the_site_name_the_former_ones(self):
        v = self.vault()
        v.dealer, v.former = LIAR, [SITE]  # the site's next keys
        v.put("/b", b"b")
        v.journal()
        v.head()
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], files), (0, {"a": b"a", "b": b"b"}))
        self.assertEqual((report["vaults"][0]["head"]["epoch"], report["vaults"][0]["head"]["dealer"]), (2, LIAR.fingerprint))
        self.assertEqual({row["dealer"] for row in report["files"]}, {"verified"})
        for path in glob.glob(os.path.join(self.root, "places", "*", "head", "*", "%016x" % 1)):
            os.unlink(path)
        report, files = self.restore("ac", dealer=SITE.fingerprint)
        self.assertIn("A newer sheet settles it", " ".join(report["notes"]))

    def test_later_keys_at_k_locations_come_after_older_ones_at_more(self):
        for how in ("formerDealers", "previous"):
            with self.subTest(how):
                self.tearDown()
                self.setUp()
                v = self.vault()
                v.dealer, v.former = LIAR, [SITE] if how == "formerDealers" else []
                v.put("/b", b"b")
                v.journal()
                v.head(places=(1, 3))
                report, files = self.restore("abc")
                self.assertEqual((report["vaults"][0]["head"]["dealer"], files["b"]), (LIAR.fingerprint, b"b"))

    def test_a_stranger_at_fewer_than_k_who_names_the_dealer_comes_after_nobody(self):
        v = self.vault()
        v.former = [SITE]
        v.head(places=(3,), dealer=LIAR, k=2, catalogue=None, segments=[])
        v.head(places=(3,), dealer=LIAR, k=2, catalogue=None, segments=[])
        report, files = self.restore("abc")
        self.assertEqual((report["vaults"][0]["head"]["dealer"], files), (SITE.fingerprint, {"a": b"a"}))
        v = self.make(k=3, n=5)
        v.put("/a", b"a")
        v.journal("snapshot", v.lines)
        v.head()
        v.former = [SITE]
        v.head(places=(3, 4), dealer=LIAR, k=2, catalogue=None, segments=[])  # two who say k = 2 of a vault with k = 3
        report, files = self.restore("abcde", vault=v.vault)
        self.assertEqual(report["vaults"][0]["head"]["dealer"], SITE.fingerprint)

    def test_a_damaged_head_is_named(self):
        v = self.vault()
        name = "head/%s/%016x" % (v.vault, 1)
        with open(os.path.join(v.place(1), name), "rb") as file:
            raw = file.read()
        v.write(1, name, raw.replace(b'"k":2', b'"k":3'))
        report, files = self.restore("ac")
        self.assertEqual((report["exit"], files, [row["file"] for row in report["blames"]]), (3, {"a": b"a"}, [name]))

    def test_the_k_of_the_catalogue_and_of_the_sheet(self):
        v = self.make(k=3, n=5)
        v.put("/three", b"3")
        v.put("/two", b"2", k=2, n=3)
        v.journal("snapshot", v.lines)
        v.head()
        v.deal(b"liars", "/liars", k=2)
        report, files = self.restore("abcde")
        self.assertEqual(files, {"three": b"3", "two": b"2"})
        self.assertEqual(len(report["refused"]), 5)
        report, files = self.restore("abcde", k=3)
        self.assertEqual((report["exit"], files), (3, {"three": b"3"}))


def restore_sets(*parts, **options):
    """Recover from {x: bytes}, each x a location; later parts are served by the same locations."""
    locations = {}
    for index, part in enumerate(parts):
        for x, raw in part.items():
            one = locations.setdefault(x, recover.Location("abcdefghi"[x - 1]))
            one.sources.append(("%d-%d.frg" % (index, x), recover.BytesSource(raw)))
    with tempfile.TemporaryDirectory() as out:
        report = recover.recover(list(locations.values()), recover.Options(out=out, dealer_keys=[SITE.keys], **options)).json()
        return report, files_of(out)


def named(rows):
    return sorted(row["file"] for row in rows)


class KnownDealer(unittest.TestCase):
    def test_a_forged_version_does_not_hide_the_signed_one(self):
        parts, drawn = make_vault.deal(SITE, b"true", "/x", vault="ab" * 16, n=4, xs=(1, 2))
        forged, _ = make_vault.deal(LIAR, b"false", "/x", vault="ab" * 16, n=4, xs=(3, 4), object_id=drawn["object"], version=9)
        report, files = restore_sets(parts, forged)
        self.assertEqual((report["exit"], files, named(report["refused"])), (3, {"x": b"true"}, ["1-3.frg", "1-4.frg"]))


class Sets(unittest.TestCase):
    def deal(self, data=b"data", **more):
        more.setdefault("vault", "ab" * 16)
        return make_vault.deal(SITE, data, "/x", **more)

    def test_a_lower_generation_is_superseded_and_still_helps(self):
        old, drawn = self.deal()
        same = {"object_id": drawn["object"], "deal_id": drawn["dealId"], "key": drawn["key"], "f": drawn["f"]}
        new, _ = self.deal(generation=1, **same)
        report, files = restore_sets(old, new)
        self.assertEqual((report["exit"], files, named(report["superseded"])), (0, {"x": b"data"}, ["0-1.frg", "0-2.frg", "0-3.frg"]))
        self.assertEqual(report["files"][0]["generation"], 1)
        report, files = restore_sets(old, {1: new[1]})
        self.assertEqual((files, report["files"][0]["generation"]), ({"x": b"data"}, 0))

    def test_unproven_fragments(self):
        for suite in (1, 2):
            data = os.urandom(70000)
            for unproven in ((3,), (2, 3), (1, 2, 3)):
                parts, _ = self.deal(data, suite=suite, unproven=unproven)
                report, files = restore_sets(parts)
                self.assertEqual((report["exit"], files), (0, {"x": data}))
                report, files = restore_sets({2: parts[2], 3: parts[3]})
                self.assertEqual(files, {"x": data})

            def bend(x, j, body):
                return recover.xor(body, b"\1" + bytes(len(body) - 1)) if x == 2 and j == 1 else body

            for unproven in ((2, 3), (1, 2, 3)):
                parts, _ = self.deal(data, suite=suite, unproven=unproven, mangle=bend)
                report, files = restore_sets(parts)
                self.assertEqual((report["exit"], files, named(report["blames"])), (3, {"x": data}, ["0-2.frg"]))

    def test_an_unproven_fragment_with_a_tag_is_refused(self):
        parts, _ = self.deal(unproven=(2,))
        bent = bytearray(parts[2])
        bent[-8 - 96] ^= 1
        report, files = restore_sets({1: parts[1], 2: bytes(bent), 3: parts[3]})
        self.assertEqual((files, named(report["blames"])), ({"x": b"data"}, ["0-2.frg"]))

    def test_all_tags_right_and_nobody_blamed(self):
        """A holder of K altered what one location keeps: its ftag is right, other subsets are tried."""
        data = os.urandom(3000)
        parts, _ = self.deal(data, n=4, mangle=lambda x, j, body: recover.xor(body, b"\1" + bytes(len(body) - 1)) if x == 1 else body)
        report, files = restore_sets(parts)
        self.assertEqual((report["exit"], files, report["blames"]), (0, {"x": data}, []))
        self.assertEqual(named(report["files"][0]["from"]), ["0-2.frg", "0-3.frg"])

    def test_two_accounts_of_the_runs_under_one_key(self):
        data = os.urandom(70000)
        first, drawn = self.deal(data, n=4, xs=(1, 2))
        more = {"object_id": drawn["object"], "deal_id": drawn["dealId"], "set_id": drawn["set_id"], "n": 4}
        second, _ = self.deal(data, key=drawn["key"], xs=(3, 4), runs=(0, 1), **more)
        report, files = restore_sets(first, second)
        self.assertEqual((report["exit"], files, len(report["conflict"])), (2, {}, 4))
        third, _ = self.deal(data, xs=(3, 4), **more)  # another key under the same header
        report, files = restore_sets(first, third)
        self.assertEqual((report["exit"], files, len(report["conflict"])), (2, {}, 4))

    def test_a_repaired_fragment_stands_beside_the_broken_one(self):
        parts, drawn = self.deal(k=3, n=3)
        broken = parts[2][:-200] + bytes(200)
        one = {1: parts[1], 2: parts[2], 3: parts[3]}
        report, files = restore_sets({2: broken}, one)
        self.assertEqual((report["exit"], files, named(report["blames"])), (3, {"x": b"data"}, ["0-2.frg"]))

    def test_x_may_exceed_n(self):
        parts, _ = self.deal(xs=(1, 7))
        report, files = restore_sets(parts)
        self.assertEqual((report["exit"], files), (0, {"x": b"data"}))

    def test_empty_and_exact_sizes(self):
        for suite in (1, 2):
            for size in (0, 1, 1023, 1024, 1025, 65536, 65537, 131072):
                data = os.urandom(size)
                parts, _ = self.deal(data, suite=suite, k=3, n=4)
                report, files = restore_sets({1: parts[1], 3: parts[3], 4: parts[4]})
                self.assertEqual((report["exit"], files), (0, {"x": data}))


ODD = (None, True, 0, -1, 1 << 52, 1.5, "", "x", "/", "\u0000", [], {}, [[]], [{}], {"x": {}})


class NoDealer:
    """Signs with zeros."""

    keys = recover.DealerKeys(bytes(1952), bytes(32))
    fingerprint = recover.fingerprint(keys)

    @staticmethod
    def sign(context, message):
        return {"mldsa65": make_vault.b64(bytes(3309)), "ed25519": make_vault.b64(bytes(64))}


class OddValues(VaultTest):
    """Whoever signs may still write nonsense: the program ends with a report, and restores what it can."""

    def setUp(self):
        super().setUp()
        real = recover.both_verify
        recover.both_verify = lambda *given: True
        self.addCleanup(setattr, recover, "both_verify", real)

    def test_odd_members_in_meta(self):
        for name in ("v", "path", "type", "created", "modified", "size", "dealer", "user", "sha256", "signature", "more"):
            for odd in ODD:
                if name == "sha256" and not isinstance(odd, str):
                    continue
                parts, _ = make_vault.deal(NoDealer, b"data", "/x", vault="ab" * 16, meta={name: odd if name != "sha256" else "ab" * 32})
                report, files = restore_sets(parts)
                self.assertIn(report["exit"], (0, 2, 3))
                if name in ("created", "modified", "dealer", "user", "more"):
                    self.assertEqual(files, {"x": b"data"})

    def test_odd_members_in_heads(self):
        v = make_vault.VaultMaker(os.path.join(self.root, "places"), NoDealer)
        v.put("/a", b"a")
        v.journal("snapshot", v.lines)
        for name in ("v", "k", "n", "layout", "locations", "catalogue", "segments", "previous", "created", "formerDealers", "more"):
            for odd in ODD:
                for path in glob.glob(os.path.join(self.root, "places", "*", "head")):
                    shutil.rmtree(path)
                v.head(**{name: odd})
                report, files = self.restore("ac")
                self.assertEqual(files, {"a": b"a"}, (name, odd))

    def test_odd_members_in_the_catalogue(self):
        v = make_vault.VaultMaker(os.path.join(self.root, "places"), NoDealer)
        file, line = v.put("/a", b"a")
        good = v.lines + [
            {"op": "folder", "path": "/f", "created": v.now()}, {"op": "move", "from": "/f", "to": "/g"}, {"op": "remove", "path": "/g"},
            {"op": "forget", "file": file, "number": 7}, {"op": "unplace", "dealId": "ab" * 16, "x": 1}, {"op": "drop", "dealId": "ab" * 16},
            {"op": "place", "dealId": line["dealId"], "x": 3, "location": v.ids[3], "name": line["fragments"][2]["name"], "commitment": "c"},
        ]  # fmt: skip
        for index, row in enumerate(good):
            for name in row:
                for odd in ODD[:: 1 if name in ("fragments", "location", "x", "path") else 3]:
                    v.sequence = 0
                    for old in v.catalogue_files if hasattr(v, "catalogue_files") else ():
                        os.unlink(old)
                    made = v.journal("snapshot", good[:index] + [dict(row, **{name: odd})] + good[index + 1 :])
                    v.catalogue_files = [os.path.join(v.place(r["x"]), r["name"]) for r in made["fragments"]]
                    for path in glob.glob(os.path.join(self.root, "places", "*", "head")):
                        shutil.rmtree(path)
                    v.head()
                    report, files = self.restore("ac")
                    self.assertIn(report["exit"], (0, 2, 3))

    def test_rubbish_in_any_file(self):
        v = make_vault.VaultMaker(os.path.join(self.root, "places"), NoDealer)
        v.put("/a", b"a")
        v.journal("snapshot", v.lines)
        v.head()
        for name in ("location.json", "head/%s/%016x" % (v.vault, 2), "aa/" + "a" * 32, "x.frg"):
            for rubbish in (b"", b"{}", b"\0" * 100, b"[" * 100000, b"1GRF" * 50, b"\xff" * 3000000):
                v.write(1, name, rubbish)
                report, files = self.restore("ac")
                self.assertEqual(files, {"a": b"a"})
            v.write(1, name, b"")


if __name__ == "__main__":
    unittest.main()
