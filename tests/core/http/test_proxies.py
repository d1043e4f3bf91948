"""Which proxy leads where: the URLs of proxies, and what the environment says."""

from __future__ import annotations

import traceback
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, Fault, Proxies, Proxy, ProxyError
from support.core import unhurried

PROXY = "http://proxy.test:3128"


def for_url(url: str, **environment: str) -> str | None:
    """Host and port of the proxy that leads to `url`."""
    proxy = Proxies.from_environment(environment).for_url(URL.parse(url))
    return None if proxy is None else f"{proxy.host}:{proxy.port}"


# A proxy's own URL.


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://proxy.test", Proxy(scheme="http", host="proxy.test", port=80)),
        ("https://proxy.test", Proxy(scheme="https", host="proxy.test", port=443)),
        ("socks5://proxy.test", Proxy(scheme="socks5", host="proxy.test", port=1080)),
        ("socks5h://proxy.test", Proxy(scheme="socks5h", host="proxy.test", port=1080)),
        ("HTTP://PROXY.test:3128/", Proxy(scheme="http", host="proxy.test", port=3128)),
        ("proxy.test:3128", Proxy(scheme="http", host="proxy.test", port=3128)),
        (" proxy.test ", Proxy(scheme="http", host="proxy.test", port=80)),
        ("http://[::1]:3128", Proxy(scheme="http", host="::1", port=3128)),
        ("http://bücher.test", Proxy(scheme="http", host="xn--bcher-kva.test", port=80)),
        # D6: as desktops and shells write them.
        ("socks://127.0.0.1:1080/", Proxy(scheme="socks5", host="127.0.0.1", port=1080)),
        ("SOCKS://p", Proxy(scheme="socks5", host="p", port=1080)),
        ('"http://p:3128"', Proxy(scheme="http", host="p", port=3128)),
        (" 'p:3128' ", Proxy(scheme="http", host="p", port=3128)),
        ("http://me@p", Proxy(scheme="http", host="p", port=80, username="me")),
        ("me:it@p", Proxy(scheme="http", host="p", port=80, username="me", password="it")),
        ("http://@p", Proxy(scheme="http", host="p", port=80, username="")),
        (
            "socks5://m%C3%A9:a%3A%40%2Fb@p",
            Proxy(scheme="socks5", host="p", port=1080, username="mé", password="a:@/b"),
        ),
    ],
)
def test_a_proxy_is_read_from_its_url(url: str, proxy: Proxy) -> None:
    assert Proxy.parse(url) == proxy


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "://proxy.test",
        "socks4://proxy.test",
        "'",
        "ftp://s3cret:s3cret@proxy.test",
        "http://proxy.test:0",
        "http://proxy.test:s3cret",
        "http://proxy.test:65536",
        "http://me:s3cret/@proxy.test",
        "http://me:12/s3cret@proxy.test",
        "http://me:12?s3cret@proxy.test",
        "http://me:12#s3cret@proxy.test",
        "http://me:s3cret@[proxy.test",
        "http://me:s3cret@pro xy.test",
        "http://me:s3cret@prox\u2100y.test",
        "http://me:s3cret@proxy.test/path",
        "http://me%3Ayou:s3cret@proxy.test",
        "http://me:s3cret\udc80@proxy.test",
        "socks5://me:s3cret" + "x" * 250 + "@proxy.test",
    ],
)
def test_what_is_no_proxy_is_a_value_error_that_shows_nothing_of_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"prox|SOCKS5") as caught:
        Proxy.parse(url)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in "".join(traceback.format_exception_only(caught.value))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("scheme", "username", "password", "carried"),
    [
        ("socks5", "u" * 255, "p" * 255, True),
        ("socks5", "u" * 256, "p", False),
        ("socks5", "u", "p" * 256, False),
        ("socks5h", "é" * 128, "p", False),
        ("socks5", "me:you", "p", True),
        ("http", "u" * 256, "p" * 256, True),
        ("http", "u", "a:b", True),
        ("https", "me:you", "p", False),
    ],
)
def test_a_scheme_has_room_for_some_credentials(
    scheme: str, username: str, password: str, carried: bool
) -> None:
    with nullcontext() if carried else pytest.raises(ValueError, match=r"SOCKS5 has room|with a colon"):
        Proxy(scheme=scheme, host="p", port=1, username=username, password=password)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_port_is_a_number_of_16_bits(port: int) -> None:
    Proxy(scheme="http", host="p", port=65535)
    with pytest.raises(ValueError, match="from 1 to 65535"):
        Proxy(scheme="http", host="p", port=port)


@unhurried
@given(st.text(alphabet="abc:/@?#[]%0 \u2100é\udc80\t.", max_size=20))
def test_any_text_is_a_proxy_or_a_value_error(text: str) -> None:
    try:
        shown = repr(Proxy.parse(f"http://s3cret:s3cret@{text}"))
    except ValueError as error:
        shown = str(error)
    assert "s3cret" not in shown


def test_a_proxy_shows_no_credentials() -> None:
    proxy = Proxy.parse("http://me:s3cret@[::1]:3128")
    assert repr(proxy) == str(proxy) == "<Proxy http://***@[::1]:3128>"
    assert repr(Proxies(http=proxy)).count("***") == 1 and "s3cret" not in repr(Proxies(http=proxy))
    assert repr(Proxy.parse("proxy.test")) == "<Proxy http://proxy.test:80>"


def test_basic_credentials_are_those_of_the_standard() -> None:
    example = Proxy.parse("http://Aladdin:open%20sesame@proxy.test")  # RFC 7617, 2
    assert example.authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert Proxy.parse("http://test:123%C2%A3@p").authorization == "Basic dGVzdDoxMjPCow=="  # RFC 7617, 2.1
    assert Proxy.parse("http://proxy.test").authorization is None


def test_both_names_of_socks_are_socks() -> None:
    schemes = ("http", "https", "socks5", "socks5h")
    assert [Proxy.parse(f"{scheme}://p").is_socks for scheme in schemes] == [False, False, True, True]


# The environment.


def test_each_scheme_has_its_variable_and_all_has_the_rest() -> None:
    assert for_url("http://a.test", HTTP_PROXY="p:1", HTTPS_PROXY="p:2", ALL_PROXY="p:3") == "p:1"
    assert for_url("https://a.test", HTTP_PROXY="p:1", HTTPS_PROXY="p:2", ALL_PROXY="p:3") == "p:2"
    assert for_url("https://a.test", HTTP_PROXY="p:1", ALL_PROXY="p:3") == "p:3"
    assert for_url("https://a.test", HTTP_PROXY="p:1") is None
    assert for_url("https://a.test") is None


def test_lower_case_goes_first_even_with_nothing_in_it() -> None:
    assert for_url("http://a.test", http_proxy="p:1", HTTP_PROXY="p:2") == "p:1"
    assert for_url("http://a.test", http_proxy="", HTTP_PROXY="p:2") is None
    assert for_url("http://a.test", all_proxy="p:1", no_proxy="", NO_PROXY="*") == "p:1"


def test_a_cgi_program_takes_no_proxy_from_its_client() -> None:
    assert for_url("http://a.test", REQUEST_METHOD="GET", HTTP_PROXY="p:1") is None
    assert for_url("http://a.test", REQUEST_METHOD="GET", HTTP_PROXY="p:1", ALL_PROXY="p:2") == "p:2"
    assert for_url("http://a.test", REQUEST_METHOD="GET", http_proxy="p:1") == "p:1"
    assert for_url("https://a.test", REQUEST_METHOD="GET", HTTPS_PROXY="p:1") == "p:1"


def test_a_proxy_that_cannot_be_used_is_an_error_when_it_is_needed() -> None:
    """D6: aider#4408, EDTalk#49. The error names the variable, and shows nothing of its value."""
    proxies = Proxies.from_environment({"HTTPS_PROXY": "http://me:s3/cret@p", "NO_PROXY": "a.test"})
    for exempt in ("http://b.test", "https://a.test"):
        assert proxies.for_url(URL.parse(exempt)) is None
    with pytest.raises(ProxyError, match=r"^HTTPS_PROXY: .*percent-encoded$") as caught:
        proxies.for_url(URL.parse("https://b.test"))
    assert (caught.value.fault, caught.value.retryable) == (Fault.CALLER, False)
    assert "cret" not in repr(proxies)


def test_all_proxy_is_not_needed_beside_the_others() -> None:
    unusable = {"ALL_PROXY": "socks4://p:3"}
    assert for_url("http://a.test", HTTP_PROXY="p:1", HTTPS_PROXY="p:2", **unusable) == "p:1"
    with pytest.raises(ProxyError, match=r"^ALL_PROXY: "):
        for_url("http://a.test", **unusable)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("", "http://a.test", False),
        (" , ", "http://a.test", False),
        ("*", "http://a.test", True),
        ("b.test, *", "http://a.test", True),
        ("a.test", "http://a.test", True),
        ("a.test", "https://A.test.", True),
        ("A.TEST.", "http://a.test:81", True),
        ("a.test", "http://b.a.test", True),
        ("a.test", "http://ba.test", False),
        ("a.test", "http://a.test.test", False),
        (".a.test", "http://a.test", True),
        (".a.test", "http://b.a.test", True),
        ("*.a.test", "http://b.a.test", True),
        ("*.a.test", "http://ba.test", False),
        (".", "http://a.test", False),
        ("b.test,a.test", "http://a.test", True),
        ("b.test a.test", "http://a.test", True),
        (" b.test ,\ta.test ", "http://a.test", True),
        ("a.test:80", "http://a.test", True),
        ("a.test:80", "http://a.test:81", False),
        ("a.test:443", "https://b.a.test", True),
        ("a.test:http", "http://a.test", False),
        ("localhost", "http://localhost:8000", True),
        ("", "http://localhost:8000", False),
        ("", "http://127.0.0.1", False),
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("127.0.0.1:80", "http://127.0.0.1:8000", False),
        ("127.0.0.1", "http://127.0.0.10", False),
        ("1.1.1.1", "http://a.1.1.1.1", False),
        ("10.0.0.0/8", "http://10.1.2.3", True),
        ("10.1.0.0/8", "http://10.2.0.0", True),
        ("10.0.0.0/8", "http://11.1.2.3", False),
        ("10.0.0.0/8", "http://a.test", False),
        ("10.0.0.0/8", "http://[::1]", False),
        ("10.0.0.0/99", "http://10.0.0.0", False),
        ("::1", "http://[::1]:8000", True),
        ("[::1]", "http://[0:0::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]", False),
        ("fe80::/10", "http://[fe80::1]", True),
        ("fe80::/10", "http://[::1]", False),
        # D6: wildcards, of browsers and Windows,
        ("10.*", "http://10.1.2.3", True),
        ("10.*", "http://110.1.2.3", False),
        ("192.168.*.*", "http://192.168.0.1", True),
        ("192.168.", "http://192.168.0.1", True),
        ("192.168.", "http://192.1.168.0", False),
        ("a*.test", "http://api.test", True),
        ("a*.test", "http://b.test", False),
        ("a*p*i.test", "http://a-p-i.test", True),
        ("a*p*p*i.test", "http://a-p-i.test", False),
        ("aa*aa", "http://aaa", False),
        ("*a.test", "http://ba.test", True),
        ("*:8080", "http://a.test:8080", True),
        ("*:8080", "http://a.test", False),
        ("fe80:*", "http://[fe80::1]", True),
        ("<local>", "http://intranet", True),
        ("<local>", "http://a.test", False),
        ("<local>", "http://[::1]", False),
        # separators,
        ("b.test;a.test", "http://a.test", True),
        ("b.test|a.test", "http://a.test", True),
        ("b.test;*.local;<local>", "http://a.local", True),
        # quotes,
        ('"b.test,a.test"', "http://a.test", True),
        ("'b.test','a.test'", "http://a.test", True),
        ('"*"', "http://a.test", True),
        # schemes and paths,
        ("http://a.test", "https://a.test", True),
        ("https://a.test:443/path", "https://a.test", True),
        ("a.test/", "http://a.test", True),
        ("a.test/path", "http://a.test", True),
        # networks,
        ("10.0.0.0/255.0.0.0", "http://10.1.2.3", True),
        ("[fd00::]/8", "http://[fd00::1]", True),
        ("[fd00::]/8", "http://[fe00::1]", False),
        # and names that are not ASCII.
        ("bücher.test", "http://bücher.test", True),
    ],
)
def test_no_proxy_says_which_hosts_are_reached_without(no_proxy: str, url: str, direct: bool) -> None:
    assert for_url(url, ALL_PROXY=PROXY, NO_PROXY=no_proxy) == (None if direct else "proxy.test:3128")


@unhurried
@given(st.text(alphabet="ab.*:[]/%019,;<>', \u2100é\udc80", max_size=20))
def test_any_no_proxy_is_read(no_proxy: str) -> None:
    proxies = Proxies.from_environment({"ALL_PROXY": PROXY, "NO_PROXY": no_proxy})
    for url in ("http://a.b", "https://[::1]:9", "http://10.0.0.1"):
        proxies.for_url(URL.parse(url))
