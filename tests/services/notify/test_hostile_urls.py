"""Every class of trick in a URL's text is refused at `parse`; what only looks like one passes."""

import pytest

from services.notify.address_guard import METADATA_NAMES, SPECIAL_NAMES, Guard
from services.notify.target import MAX_URL, Forbidden

PLAIN = "https://hooks.example.com"

OTHER_V4_NOTATIONS = (
    *("2130706433", "0x7f000001", "0X7F000001", "017700000001", "127.1", "127.0.1", "127.000.000.001", "0177.0.0.1"),
    *("0x7f.0.0.1", "127.0.0.0x1", "0x7f.1", "127.0.0.1.", "127.0.0.1..", "425.510.425.510", "256.0.0.1", "1.2.3.4.5"),
    *(
        "0",
        "0x",
        "00000000000",
        "4294967296",
        "134744072",
        "8.8.8.8.",
        "08.8.8.8",
        "0x8.8.8.8",
        "8.8.2056",
        "1.1.1.1.1",
    ),
    *("hooks.example.1", "hooks.example.0x1f", "127.0.0.1.0x0"),
)
SPECIAL_V4 = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "100.100.100.200"),
    *("127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "169.254.170.2"),
    *(
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.8",
        "192.0.0.9",
        "192.0.0.10",
        "192.0.0.170",
        "192.0.0.192",
    ),
    *("192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.88.99.2", "192.168.0.1", "192.175.48.1"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.254", "255.255.255.255"),
)
SPECIAL_V6 = (
    *(
        "::",
        "::1",
        "0:0:0:0:0:0:0:1",
        "0000:0000:0000:0000:0000:0000:0000:0001",
        "::127.0.0.1",
        "::7f00:1",
        "::808:808",
    ),
    *("::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:a9fe:a9fe", "::ffff:8.8.8.8", "0:0:0:0:0:ffff:a00:1"),
    *("::ffff:0:127.0.0.1", "::ffff:0:808:808", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808"),
    *("64:ff9b:1::a9fe:a9fe", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::1", "100::1", "100:0:0:1::1"),
    *(
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:1::1",
        "2001:1::2",
        "2001:1::3",
        "2001:2::1",
        "2001:3::1",
    ),
    *("2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::"),
    *("2002:a9fe:a9fe::1", "2002:808:808::1", "2620:4f:8000::1", "3ffe::1", "3fff::1", "3fff:fff:ffff::1", "4000::1"),
    *("5f00::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1"),
    *("fec0::1", "feff::1", "ff02::1", "ff0e::1", "ffff::1", "2606:2800::5efe:7f00:1", "2606:2800::200:5efe:a00:1"),
)
NOT_V6 = (
    *(
        "::1%25eth0",
        "::1%eth0",
        "fe80::1%25eth0",
        "fe80::1%251",
        "2606:2800::1%25eth0",
        "v1.fe80::a",
        "",
        "1::2::3",
        ":::",
    ),
    *("12345::1", "g::1", "::127.1", "::ffff:127.0.0.01", "::ffff:0x7f.0.0.1", "127.0.0.1", "2606:2800::1/64", "１::2"),
)
UNICODE_IN_DISGUISE = (
    *("①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "١٢٧.٠.٠.١", "१२७.0.0.1"),
    *("𝟏𝟐𝟕.𝟎.𝟎.𝟏", "８.８.８.８", "²130706433", "0ｘ7f000001", "169․254․169․254", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ"),
    *("loca\u00adlhost", "local\u200bhost", "localhost\u3002", "localhoſt", "LOCALHOſT", "ｋafka", "redis。internal"),
    *(
        "nas．local",
        "hooks.example.com℀.evil.example",
        "hooks.example.com／.evil.example",
        "hooks.example.com？.evil.example",
    ),
    *(
        "hooks.example.com＃.evil.example",
        "a＠127.0.0.1",
        "hooks.example.com：443",
        "hooks.example.com％2f",
        "hooks\ufffd.example.com",
    ),
    *(
        "\u202ehooks.example.com",
        "\u200dhooks.example.com",
        "\u0301a.example.com",
        "☃.example.com",
        "\ud800.example.com",
        "\ue000.example.com",
    ),
    *(
        "xn--a",
        "xn--a.example.com",
        "xn--.example.com",
        "xn--hooks-.example.com",
        "xn--n3h.example.com",
        "xn--0.example.com",
    ),
    *("xn--\u4f8b\u3048.example.com", "xn--zzzzzzzzzzzzzz99999999.example.com"),
)
BAD_NAMES = (
    *("", ".", "..", ".example.com", "hooks..example.com", "hooks.example.com..", "-a.example.com", "a-.example.com"),
    *(
        "hooks_1.example.com",
        "hooks*.example.com",
        "hooks!.example.com",
        "hooks,example.com",
        "a;b.example.com",
        "{a}.example.com",
    ),
    *(
        "a" * 64 + ".example.com",
        "あ" * 60 + ".example.com",
        ".".join(["a" * 60] * 4) + ".example.com",
        "*.example.com",
    ),
    *("kafka", "localhost", "LOCALHOST", "localhost.", "api.localhost", "ip6-localhost", "metadata", "instance-data"),
    *("metadata.google.internal", "instance-data.ec2.internal", "host.docker.internal", "kubernetes.default.svc"),
    *("kubernetes.default.svc.cluster.local", "nas.local", "printer.lan", "router.home.arpa", "1.0.0.127.in-addr.arpa"),
    *(
        "abc.onion",
        "a.alt",
        "a.test",
        "a.invalid",
        "a.corp",
        "a.home",
        "a.mail",
        "a.localdomain",
        "redis.service.consul",
    ),
    *METADATA_NAMES,
)
USERINFO = (
    *("user@hooks.example.com", "user:pass@hooks.example.com", "@hooks.example.com", ":@hooks.example.com"),
    *("hooks.example.com:443@127.0.0.1", "hooks.example.com%2f@127.0.0.1", "foo@127.0.0.1:80@hooks.example.com"),
    *("hooks.example.com\\@127.0.0.1", "[::1]@hooks.example.com", "hooks.example.com@[::1]", "a%40b@hooks.example.com"),
)
ESCAPED_HOSTS = (
    *("%31%32%37.0.0.1", "127.0.0.1%2f.hooks.example.com", "hooks%2eexample%2ecom", "localhost%00.example.com"),
    *("hooks.example.com%23.evil.example", "hooks.example.com%3a443", "%e4%be%8b.example.com", "hooks.example.com%"),
)
BAD_PORTS = (
    *(
        "0",
        "00443",
        "0443",
        "+443",
        "-1",
        "443x",
        "x",
        "",
        " 443",
        "65536",
        "99999999999999999999",
        "443:443",
        "0x1bb",
        "4_43",
    ),
    *("٤٤٣", "４４３", "4⃣43", "22", "25", "80", "6379", "9092", "9200", "2375", "11211", "27017", "8444", "10443"),
)
BAD_FORMS = (
    *(
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "https:",
        "https:/",
        "https://",
        "https:///",
        "https:///hooks.example.com/",
    ),
    *(
        "https:/127.0.0.1/",
        "https:127.0.0.1/",
        "https:hooks.example.com",
        "https:\\\\hooks.example.com",
        "/hook",
        "?a",
        "#a",
    ),
    *(
        "http://hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "javascript:1",
    ),
    *(
        "ws://hooks.example.com/",
        "wss://hooks.example.com/",
        "data:,a",
        "unix:/run/docker.sock",
        "jar:https://hooks.example.com!/",
    ),
    *(
        "http+unix://%2frun%2fdocker.sock/",
        "https+x://hooks.example.com/",
        "xhttps://hooks.example.com/",
        "httpſ://hooks.example.com/",
    ),
    *(
        "https ://hooks.example.com/",
        "https://[::1",
        "https://::1]/",
        "https://::1/",
        "https://[::1]evil.example.com/",
        "https://[[::1]]/",
    ),
    *("https://[::1]:443:443/", "https://[::1].example.com/", "https://a[::1]/", "https://https://hooks.example.com/"),
    *(
        "https://1.1.1.1 &@2.2.2.2# @127.0.0.1/",
        "https://127.0.0.1?@hooks.example.com/",
        "https://127.0.0.1#@hooks.example.com/",
    ),
    *("https://127.0.0.1/@hooks.example.com", "https://127.0.0.1:11211:443/", "https://127.0.0.1;hooks.example.com/"),
)
SHUT_CHARACTERS = tuple([chr(code) for code in (*range(0x21), *range(0x7F, 0xA1))] + ["\\", "\ud800", "\udfff"])
BAD_REST = (
    *(
        "/%0d%0aX: 1",
        "/%0A",
        "/a%00b",
        "/%1f",
        "/%7F",
        "?a=%0d",
        "#%0a",
        "/%",
        "/%2",
        "/%zz",
        "/%u0041",
        "?%",
        "#%g0",
        "/a\\b",
    ),
    *("/" + "a" * MAX_URL, "/" + "名" * 700, "?" + "a" * MAX_URL, "#" + "a" * MAX_URL),
)
HOSTILE = {
    "other v4 notation": [f"https://{host}/hook" for host in OTHER_V4_NOTATIONS],
    "special v4": [f"https://{host}/hook" for host in SPECIAL_V4],
    "special v6": [f"https://[{host}]/hook" for host in SPECIAL_V6],
    "not v6": [f"https://[{host}]/hook" for host in NOT_V6],
    "disguise": [f"https://{host}/hook" for host in UNICODE_IN_DISGUISE],
    "name": [f"https://{host}/hook" for host in BAD_NAMES],
    "special name": [f"https://hooks.{name.upper()}./" for name in SPECIAL_NAMES],
    "userinfo": [f"https://{authority}/" for authority in USERINFO],
    "escaped host": [f"https://{host}/" for host in ESCAPED_HOSTS],
    "port": [f"{PLAIN}:{port}/" for port in BAD_PORTS],
    "form": BAD_FORMS,
    "character in the host": [f"https://hooks{one}.example.com/" for one in SHUT_CHARACTERS],
    "character in the path": [f"{PLAIN}/a{one}b" for one in SHUT_CHARACTERS],
    "character at an end": [f"{PLAIN}/{one}" for one in SHUT_CHARACTERS]
    + [f"{one}{PLAIN}/" for one in SHUT_CHARACTERS],
    "rest": [f"{PLAIN}{rest}" for rest in BAD_REST],
}


@pytest.mark.parametrize("trick", HOSTILE)
def test_a_trick_is_refused_by_its_text_alone_and_in_words(trick: str) -> None:
    assert [url for url in HOSTILE[trick] if not refused(url)] == []


def refused(url: str) -> bool:
    try:
        Guard().target(url)
    except Forbidden as refusal:
        return refusal.stage == "parse" and bool(refusal.reason)
    return False


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (PLAIN, f"{PLAIN}/"),
        (f"{PLAIN}./hook", f"{PLAIN}/hook"),
        (f"{PLAIN}:443", f"{PLAIN}/"),
        (f"{PLAIN}:8443?a=b", f"{PLAIN}:8443/?a=b"),
        ("HTTPS://Hooks.Example.COM/A%2fb#top", f"{PLAIN}/A%2fb"),
        (f"{PLAIN}/a@b:c?d@e", f"{PLAIN}/a@b:c?d@e"),
        (f"{PLAIN}//127.0.0.1/../[x]", f"{PLAIN}//127.0.0.1/../%5Bx%5D"),
        (f"{PLAIN}?url=https://127.0.0.1/", f"{PLAIN}/?url=https://127.0.0.1/"),
        ("https://hooks.example.com/名", f"{PLAIN}/%E5%90%8D"),
        (
            "https://hooks.example.com/通知/嘍嘊?宛=課",
            f"{PLAIN}/%E9%80%9A%E7%9F%A5/%E5%98%8D%E5%98%8A?%E5%AE%9B=%E8%AA%B2",
        ),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://XN--R8JZ45G.xn--zckzah", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://faß.example.com/", "https://xn--fa-hia.example.com/"),
        ("https://ＨＯＯＫＳ.example.com/", f"{PLAIN}/"),
        ("https://8.8.8.8:8443/", "https://8.8.8.8:8443/"),
        ("https://[2606:2800:21f:CB07:0:0:0:1]:443/", "https://[2606:2800:21f:cb07::1]/"),
        ("https://127.0.0.1.hooks.example.com/", "https://127.0.0.1.hooks.example.com/"),
        ("https://10.example.com/", "https://10.example.com/"),
        ("https://0x7f.example.com/", "https://0x7f.example.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://internal.example.com/", "https://internal.example.com/"),
        ("https://v2--preview.example.com/", "https://v2--preview.example.com/"),
        (f"https://{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 57}.com/", None),
        (f"{PLAIN}/" + "a" * (MAX_URL - len(PLAIN) - 1), None),
    ],
)
def test_what_only_looks_like_a_trick_passes_and_is_sent_in_ascii(url: str, sent: str | None) -> None:
    assert Guard().target(url).url == (sent or url)
