"""URLs, the targets of requests below them, and host names in ASCII."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, Exchange
from sse_core.http.url import to_ascii
from support.core import unhurried

WORDS = r"\w+"
UNRESERVED = "/b@c/%41/~-._!$&'()*+,;=:@[]"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://api.test", URL("http", "api.test", 80, "", "")),
        ("https://api.test", URL("https", "api.test", 443, "", "")),
        ("HTTPS://API.Test/V1", URL("https", "api.test", 443, "/V1", "")),
        ("http://api.test:8080/v1/", URL("http", "api.test", 8080, "/v1/", "")),
        ("http://api.test:/v1", URL("http", "api.test", 80, "/v1", "")),
        ("https://api.test:80", URL("https", "api.test", 80, "", "")),
        ("http://api.test/v1?key=a%20b&c#fragment", URL("http", "api.test", 80, "/v1", "key=a%20b&c")),
        ("http://api.test?a=b", URL("http", "api.test", 80, "", "a=b")),
        ("http://127.0.0.1:1", URL("http", "127.0.0.1", 1, "", "")),
        ("http://[::1]", URL("http", "::1", 80, "", "")),
        ("http://[fe80::1%25eth0]", URL("http", "fe80::1%eth0", 80, "", "")),
        ("http://[fe80::1%eth0]", URL("http", "fe80::1%eth0", 80, "", "")),
        ("https://[2001:DB8::1]:8443/x", URL("https", "2001:db8::1", 8443, "/x", "")),
        ("http://bücher.test/", URL("http", "xn--bcher-kva.test", 80, "/", "")),
        ("http://under_score.test.", URL("http", "under_score.test.", 80, "", "")),
        ("http://api.test/a b", URL("http", "api.test", 80, "/a%20b", "")),
        ("http://api.test/ü?ü", URL("http", "api.test", 80, "/%C3%BC", "%C3%BC")),
        ('http://a.test/"<>', URL("http", "a.test", 80, "/%22%3C%3E", "")),
        (" http://a.test/v1\r\n", URL("http", "a.test", 80, "/v1", "")),
        ("http://a.test/\\^`{|}", URL("http", "a.test", 80, "/%5C%5E%60%7B%7C%7D", "")),
        ("http://a.test/b@c/%41/~-._!$&'()*+,;=:@[]", URL("http", "a.test", 80, UNRESERVED, "")),
    ],
)
def test_a_url_is_parsed_into_what_a_connection_and_a_request_need(text: str, url: URL) -> None:
    assert URL.parse(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.test",
        "//api.test/",
        "/v1",
        "ftp://api.test/",
        "unix:///run/api",
        "http://",
        "http:///v1",
        "http://:80/",
        "http:api.test",
        "http://api.test:x/",
        "http://api.test:-1/",
        "http://api.test:65536/",
        "http://api.test:８０/",
        "http://[::1",
        "http://[hello]/",
        "http://::1/",
        "http://a b.test/",
        "http://a\x00b.test/",
        "http://a\x7fb.test/",
        "http://a\\b.test/",
        "http://a<b>.test/",
        "http://a..test/",
        "http://.test/",
        f"http://{'a' * 64}.test/",
        f"http://{'ü' * 64}.test/",
        f"http://{'ü' * 300}/",
        "http://ü..test/",
        "http://-ü.test/",
        "http://a\u200db.test/",
        "http://a.test/\x00",
        "http://a.test/v1\r\nX: y",
        "http://a.te\tst/",
    ],
)
def test_what_is_no_absolute_http_url_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=WORDS):
        URL.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://user@api.test/",
        "http://user:s3cret@api.test/",
        "http://:s3cret@api.test:x/",
        "http://s3cret@/",
        "http://user:s3cret@[::1/",
        "http://user:s3cret@a\u2100b.test/",
        "http://user:s3cret",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match=WORDS) as caught:
        URL.parse(text)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("http://api.test", "api.test"),
        ("http://api.test:80", "api.test"),
        ("http://api.test:443", "api.test:443"),
        ("https://api.test:443", "api.test"),
        ("https://api.test:80", "api.test:80"),
        ("http://[::1]", "[::1]"),
        ("https://[::1]:8443", "[::1]:8443"),
    ],
)
def test_the_authority_has_the_port_only_where_it_is_not_the_schemes_own(text: str, authority: str) -> None:
    assert URL.parse(text).authority == authority


def test_a_zone_is_not_told_to_the_server() -> None:
    url = URL.parse("http://[fe80::1%25eth0]:8080/")
    assert (url.authority, url.host_field) == ("[fe80::1%eth0]:8080", "[fe80::1]:8080")


@pytest.mark.parametrize(
    ("base", "path", "target"),
    [
        ("http://a.test", "", "/"),
        ("http://a.test/", "", "/"),
        ("http://a.test/v1/", "", "/v1/"),
        ("http://a.test", "/chat", "/chat"),
        ("http://a.test/", "/chat", "/chat"),
        ("http://a.test/v1", "/chat", "/v1/chat"),
        ("http://a.test/v1/", "/chat", "/v1/chat"),
        ("http://a.test/v1?k=v", "/chat", "/v1/chat?k=v"),
        ("http://a.test?k=v", "", "/?k=v"),
        ("http://a.test", "/a b", "/a%20b"),
        # E1: what comes behind the host begins with a slash, or it would become a part of the host.
        ("http://a.test", "@evil/x", "/@evil/x"),
        ("http://a.test", ".evil/x", "/.evil/x"),
        ("http://a.test", ":8080/x", "/:8080/x"),
        ("http://a.test", "\\evil", "/%5Cevil"),
        ("http://a.test", "#x", "/%23x"),
        ("http://a.test/v1", "chat", "/v1/chat"),
        ("http://a.test", "?a=b", "/?a=b"),
        ("http://a.test/v1/", "?a=b", "/v1/?a=b"),
        ("http://a.test/v1?k=v", "?a=b", "/v1?a=b&k=v"),
    ],
)
def test_a_path_goes_below_the_urls_own_and_before_its_query(base: str, path: str, target: str) -> None:
    assert URL.parse(base).target(path) == target


def test_a_url_put_together_by_hand_has_a_target_too() -> None:
    assert URL("http", "a.test", 80, "@evil", "").target("") == "/@evil"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("https://evil.test/x", "not a URL"),
        ("HTTP://evil.test", "not a URL"),
        ("//evil/x", "two slashes"),
        ("/a\r\nX: y", "control characters"),
        ("/a\0", "control characters"),
        ("\x7f", "control characters"),
    ],
)
def test_what_is_no_path_is_a_value_error(path: str, why: str) -> None:
    """E1."""
    with pytest.raises(ValueError, match=why):
        URL.parse("http://a.test/v1").target(path)


@unhurried
@given(base=st.text(max_size=20), path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_url_that_is_taken_makes_a_request_that_can_be_sent(base: str, path: str) -> None:
    try:
        url = URL.parse(f"http://a{base}")
        target = url.target(path)
    except ValueError:
        return
    for form in (target, f"http://{url.host_field}{target}"):
        sent = Exchange("GET", form, [("Host", url.host_field)]).data_to_send()
        assert sent.count(b"\r\n") == 3
    again = URL.parse(f"http://{url.host_field}{target}")
    assert (again.host, again.port) == (url.host, url.port)


def test_a_url_shows_no_credentials() -> None:
    assert repr(URL.parse("https://[::1]:8443/v1?key=s3cret")) == "<URL https://[::1]:8443/v1>"


LABELS = st.sampled_from(["", "a", "B-1", "::1", "x" * 63, "x" * 64, "bücher", "\N{FULLWIDTH FULL STOP}"])


@given(st.lists(LABELS, max_size=4).map(".".join).filter(bool))
def test_a_host_in_ascii_is_as_idna_2003_has_it_where_nothing_has_changed_since(host: str) -> None:
    try:
        expected = host.encode("idna").decode("ascii")
    except UnicodeError:
        with pytest.raises(ValueError, match=WORDS):
            to_ascii(host)
    else:
        assert to_ascii(host).lower() == expected.lower()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("faß.de", "xn--fa-hia.de"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("نامه\u200cای.com", "xn--mgba3gch31f060k.com"),
        ("ﬁ.ａ。b", "fi.a.b"),
        ("☕.example", "xn--53h.example"),
        ("I♥NY.de", "xn--iny-zx5a.de"),
        ("ü_x.a_b.de", "xn--_x-wka.a_b.de"),
        ("xn--fa-hia.ü", "xn--fa-hia.xn--tda"),
    ],
)
def test_a_host_in_ascii_is_the_one_that_browsers_go_to(host: str, expected: str) -> None:
    """E7: by IDNA 2003, `faß.de` would be `fass.de`, which may belong to somebody else."""
    assert to_ascii(host) == expected


def test_without_its_package_a_host_that_is_not_ascii_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idna", None)
    assert URL.parse("http://a.test").host == "a.test"
    with pytest.raises(ValueError, match="needs the package idna"):
        URL.parse("http://ü.test")
