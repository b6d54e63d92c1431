"""What each form of a scan's records says, by the guide's chapter `records` alone, held against its JSONL.

    forms.py RECORDS.jsonl OTHER...

Each OTHER ends in .csv, .parquet, .ecs.jsonl or .syslog and holds the same records in the same order. Prints for each how
many records and values were compared; ends with 1 where a value differs. Reads Parquet by pyarrow.
"""

import csv
import datetime
import json
import re
import sys
import urllib.parse

csv.field_size_limit(1 << 26)


def unescaped(text):
    """The bytes of a text in the escape of banners."""
    found = bytearray()
    at = 0
    while at < len(text):
        if text.startswith("\\x", at):
            found.append(int(text[at + 2 : at + 4], 16))
            at += 4
        elif text.startswith("\\\\", at):
            found += b"\\"
            at += 2
        elif text[at] == "\\":
            raise ValueError(f"a lone backslash: {text!r}")
        else:
            found += text[at].encode()
            at += 1
    return bytes(found)


def items(text):
    """The items of a joined list, each in the escape; None for one that is null."""
    if text == "":
        return []
    return [{"\\": "", "\\-": None}.get(item, item) for item in text.split(";")]


def tag_name(encoded):
    return "" if encoded == "%" else urllib.parse.unquote(encoded, errors="strict")


def word(value):
    """A number, a truth or a text as forms of text write it."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def words(values):
    return None if values is None else [word(value) for value in values]


def lines(values):
    return None if values is None else [unescaped(value) for value in values]


def at(record, path):
    for name in path.split("."):
        record = None if record is None else record.get(name)
    return record


# --- JSONL as flat names, those of CSV first ---


def flat(record):
    of = lambda path: word(at(record, path))
    names = at(record, "dns.ptr.names")
    return {
        "ip": of("target.ip"),
        "port": of("target.port"),
        "asked": of("target.asked"),
        "outcome": of("outcome"),
        "verdict": of("verdict"),
        "severity": of("severity"),
        "findings": record["findings"],
        "code": of("smtp.code"),
        "banner": lines(at(record, "smtp.banner")),
        "banner_name": of("smtp.banner_name"),
        "ehlo_name": of("smtp.ehlo_name"),
        "ptr_status": of("dns.ptr.status"),
        "ptr_names": None if names is None else [name["name"] for name in names],
        "fcrdns": of("dns.fcrdns"),
        "banner_forward_status": of("dns.banner_forward.status"),
        "banner_forward_confirms": of("dns.banner_forward.confirms"),
        "relation": of("relation"),
        "platform": of("platform.name"),
        "tenancy": of("tenancy"),
        "prefix": of("network.prefix"),
        "asn": of("network.asn"),
        "as_name": of("network.as_name"),
        "connect_ms": of("smtp.connect_ms"),
        "banner_ms": of("smtp.banner_ms"),
        "time": of("time"),
        "expected_name": of("target.expected_name"),
        "accepted": [it["code"] for it in record["accepted"]],
        "clears_by": record["clears_by"],
        "fix": record["fix"],
        "unresolved_family": of("target.unresolved.family"),
        "unresolved_status": of("target.unresolved.status"),
    }


# --- CSV ---


def cell(text):
    if text == "":
        return None
    inner = text.lstrip("'")
    if text[0] == "'" and (inner == "" or inner[0] in "=+-@\t\r"):
        return text[1:]
    return text


def of_csv(path):
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            told, tags = {}, {}
            for name, text in row.items():
                text = cell(text)
                if name.startswith("tag_"):
                    if text is not None:
                        tags[name[4:]] = text
                elif name in ("findings", "accepted"):
                    told[name] = [] if text is None else text.split(";")
                elif name == "ptr_names":
                    told[name] = None if row["ptr_status"] == "" else [] if text is None else text.split(";")
                elif name == "clears_by":
                    told[name] = None if text is None else [] if text == "none" else text.split(";")
                elif name == "fix":
                    told[name] = None if text is None else text.split(";")
                elif name == "banner":
                    told[name] = None if text is None else lines(items(text))
                else:
                    told[name] = text
            yield told, tags


def by_csv(record):
    return flat(record), record["target"]["tags"]


# --- syslog ---

LISTS = """findings ptr_names accepted accepted_reasons accepted_until clears_by fix samples extensions banner ptr_statuses
ptr_addresses ptr_confirms banner_forward_addresses tls_names tls_extensions scanner_own_addresses""".split()
BYTES = ["banner", "extensions", "tls_extensions", "tls_plaintext"]


def by_syslog(record):
    of = lambda path: word(at(record, path))
    names = at(record, "dns.ptr.names")
    each = lambda field: None if names is None else [word(name[field]) for name in names]
    told = flat(record) | {
        "helo_name": of("target.helo_name"),
        "platform_version": of("platform.version"),
        "extensions": lines(at(record, "smtp.extensions")),
        "samples": at(record, "smtp.samples"),
        "truncated": of("smtp.truncated"),
        "attempts": of("smtp.attempts"),
        "accepted_reasons": [it["reason"] for it in record["accepted"]],
        "accepted_until": [it["until"] for it in record["accepted"]],
        "scanner_ip": of("scanner.ip"),
        "scanner_name": of("scanner.name"),
        "scanner_engine": of("scanner.engine"),
        "scanner_own_addresses": at(record, "scanner.own_addresses"),
        "banner_forward_addresses": at(record, "dns.banner_forward.addresses"),
        "ptr_count": of("dns.ptr.count"),
        "ptr_statuses": each("status"),
        "ptr_addresses": None if names is None else [",".join(name["addresses"]) for name in names],
        "ptr_confirms": each("confirms"),
        "tls_plaintext": None if of("smtp.tls.plaintext") is None else unescaped(of("smtp.tls.plaintext")),
        "tls_extensions": lines(at(record, "smtp.tls.extensions")),
        "tls_names": at(record, "smtp.tls.certificate.names"),
        "tls_names_count": of("smtp.tls.certificate.count"),
    }
    for field in "status alert code version cipher ehlo_name injected".split():
        told["tls_" + field] = of("smtp.tls." + field)
    for field in "not_before not_after sha256 x509_error".split():
        told["tls_" + field] = of("smtp.tls.certificate." + field)
    return told, record["target"]["tags"]


PARAMETER = re.compile(r' ([!-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\.)*)"', re.S)


def elements(line):
    """The elements of the structured data, each a list of names and values below the escape of RFC 5424."""
    rest = line.split(" ", 6)[6]
    found = {}
    while rest.startswith("["):
        name, rest = re.match(r"\[(\S+?)(?=[ \]])", rest).group(1), rest[rest.index(" ") :]
        assert name not in found
        found[name] = []
        while not rest.startswith("]"):
            match = PARAMETER.match(rest)
            found[name].append((match.group(1), re.sub(r'\\(["\\\]])', r"\1", match.group(2))))
            rest = rest[match.end() :]
        rest = rest[1:]
        names = [name for name, _ in found[name]]
        assert len(set(names)) == len(names), f"a name twice: {names}"
    return found


def text_of(value):
    return unescaped(value).decode()


def of_syslog(path):
    with open(path, newline="\n", encoding="utf-8") as file:
        for line in file:
            found = elements(line)
            told = {"time": line.split(" ")[1]}
            parameters = dict(found["banneret@32473"])
            for name, value in parameters.items():
                if name == "cut":
                    continue
                read = unescaped if name in BYTES else text_of
                if name in LISTS:
                    told[name] = [None if item is None else read(item) for item in items(value)]
                else:
                    told[name] = read(value)
            tags, whole = {}, dict(found.get("tags@32473", []))
            cut, cut_tags = items(parameters.get("cut", "")), items(whole.get("~cut", ""))
            for name, value in whole.items():
                if not name.startswith("~"):
                    head, _, number = name.rpartition("~")
                    tag = text_of(whole["~" + number]) if head else tag_name(name)
                    tags[tag] = text_of(value)
                    cut += [tag] if name in cut_tags else []
            yield told, tags, cut


# --- ECS ---

TLS = "status alert code version cipher certificate ehlo_name extensions injected plaintext".split()
CERTIFICATE = "names count not_before not_after sha256 x509_error".split()


def filled(value, names):
    return None if value is None else {name: value.get(name) for name in names} | value


def of_ecs(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            ecs = json.loads(line)
            own = ecs["banneret"].get
            tls = filled(own("tls"), TLS)
            if tls is not None:
                tls["certificate"] = filled(tls["certificate"], CERTIFICATE)
            smtp = "code banner banner_name ehlo_name extensions truncated attempts connect_ms banner_ms samples".split()
            forward = lambda it: filled(it, ["status", "addresses", "confirms"])
            record = {
                "time": ecs["@timestamp"],
                "target": {
                    "ip": at(ecs, "destination.ip"),
                    "port": at(ecs, "destination.port"),
                    "asked": own("asked"),
                    "expected_name": own("expected_name"),
                    "helo_name": own("helo_name"),
                    "tags": {tag_name(name): value for name, value in ecs.get("labels", {}).items()},
                    "unresolved": filled(own("unresolved"), ["family", "status"]),
                },
                "smtp": {name: own(name) for name in smtp} | {"tls": tls},
                "dns": None,
                "findings": own("findings", []),
                "accepted": own("acceptances", []),
                "network": {
                    "prefix": own("prefix"),
                    "asn": at(ecs, "destination.as.number"),
                    "as_name": at(ecs, "destination.as.organization.name"),
                },
                "scanner": filled(own("scanner"), ["name", "ip", "engine", "own_addresses"]),
            }
            for name in "outcome relation verdict severity tenancy clears_by fix".split():
                record[name] = own(name)
            record["platform"] = own("platform") and {"name": own("platform"), "version": own("platform_version")}
            if own("ptr_status") is not None:
                names = [forward(name) for name in own("ptr_names")]
                record["dns"] = {
                    "ptr": {"status": own("ptr_status"), "count": own("ptr_count"), "names": names},
                    "fcrdns": own("fcrdns"),
                    "banner_forward": forward(own("banner_forward")),
                }
            yield (record,)


# --- Parquet ---


def of_parquet(path):
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path)
    for batch in file.iter_batches(1000):
        for record in batch.to_pylist():
            time = record["time"]
            if time.tzinfo is not None:
                time = time.astimezone(datetime.timezone.utc)
            record["time"] = time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
            record["target"]["tags"] = dict(record["target"]["tags"])
            yield (record,)


# --- the comparison ---


def whole(record):
    return ({name: value for name, value in record.items() if name != "schema"},)


def form(path):
    if path.endswith(".ecs.jsonl"):
        return of_ecs, whole
    return {
        "csv": (of_csv, by_csv),
        "parquet": (of_parquet, whole),
        "syslog": (of_syslog, by_syslog),
    }[path.rpartition(".")[2]]


def leaves(value, path=""):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}/{name}")
        if not value:
            yield path, {}
    else:
        yield path, value


def main(records, others):
    bad = 0
    for other in others:
        read, expect = form(other)
        count = values = cuts = 0
        with open(records, encoding="utf-8") as file:
            for line, told in zip(file, read(other), strict=True):
                cut = told[2] if len(told) > 2 else []
                expected = [dict(leaves(part)) for part in expect(json.loads(line))]
                found = [dict(leaves(part)) for part in told[:2]]
                count += 1
                cuts += len(cut)
                for want, have in zip(expected, found, strict=True):
                    for path in want.keys() | have.keys():
                        values += 1
                        if want.get(path) != have.get(path) and path[1:] not in cut:
                            bad += 1
                            if bad < 20:
                                print(f"{other} record {count} {path}: {want.get(path)!r} became {have.get(path)!r}")
        print(f"{other}: {count} records, {values} values compared, {cuts} cut")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
