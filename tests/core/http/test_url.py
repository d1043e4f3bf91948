"""The URL of a server: what is taken, what is refused, and what a request makes of it."""

from __future__ import annotations

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
        ('http://a.test/\x00\x1f\x7f"<>', URL("http", "a.test", 80, "/%00%1F%7F%22%3C%3E", "")),
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
        ("http://a.test", "/a b\r\nX: y", "/a%20b%0D%0AX:%20y"),
    ],
)
def test_a_path_goes_below_the_urls_own_and_before_its_query(base: str, path: str, target: str) -> None:
    assert URL.parse(base).target(path) == target


@unhurried
@given(base=st.text(max_size=20), path=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_url_that_is_taken_makes_a_request_that_can_be_sent(base: str, path: str) -> None:
    try:
        url = URL.parse(f"http://a{base}")
    except ValueError:
        return
    sent = Exchange("GET", url.target(path), [("Host", url.host_field)]).data_to_send()
    assert sent.count(b"\r\n") == 3


def test_a_url_shows_no_credentials() -> None:
    assert repr(URL.parse("https://[::1]:8443/v1?key=s3cret")) == "<URL https://[::1]:8443/v1>"


LABELS = st.sampled_from(
    ["", "a", "B-1", "::1", "x" * 63, "x" * 64, "bücher", "ß", "\N{FULLWIDTH FULL STOP}"]
)


@given(st.lists(LABELS, max_size=4).map(".".join))
def test_a_host_in_ascii_is_the_same_as_by_idna(host: str) -> None:
    try:
        expected = host.encode("idna").decode("ascii")
    except UnicodeError:
        with pytest.raises(UnicodeError):
            to_ascii(host)
    else:
        assert to_ascii(host) == expected
