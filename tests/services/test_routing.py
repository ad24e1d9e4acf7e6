"""Which upstream and which model answer for a name."""

from __future__ import annotations

from typing import Any

import pytest

from chat_api.errors import ModelNotFound, UpstreamTimeout
from chat_api.services.retired import SUCCESSORS
from chat_api.services.routing import Router, Rules
from chat_api.upstreams.ollama import OllamaUpstream
from tests.fakes import FakeUpstream, listed


def router(*upstreams: FakeUpstream, **rules: Any) -> Router:
    """With an `openai` for callers' keys beside those given."""
    openai = next((each for each in upstreams if each.name == "openai"), FakeUpstream("openai"))
    return Router(upstreams, lambda: openai, Rules(**rules))


def chosen(router: Router, name: str | None) -> tuple[str, str, str | None]:
    target = router.route(name)[0]
    return target.upstream.name, target.model, target.alias


def ollama() -> FakeUpstream:
    """An upstream that answers for names as Ollama does."""
    upstream = FakeUpstream("ollama")
    upstream.default_model = "llama3"
    upstream.answers_for = OllamaUpstream.answers_for
    upstream.implied_suffix = OllamaUpstream.implied_suffix
    upstream.listing = listed("llama3:latest", "gpt-oss:latest", "mistral:7b")
    return upstream


@pytest.mark.parametrize("name", [None, "", "gpt-4o-mini"])
def test_no_name_means_the_default(upstream: FakeUpstream, name: str | None) -> None:
    assert chosen(router(upstream), name) == ("fake", "gpt-4o-mini", None)


def test_an_unknown_name_is_the_upstreams_to_judge(upstream: FakeUpstream) -> None:
    assert chosen(router(upstream), "my-finetune") == ("fake", "my-finetune", None)
    assert chosen(router(upstream), "org/my-finetune") == ("fake", "org/my-finetune", None)
    assert upstream.listed == 0


@pytest.mark.parametrize("name", ["gpt-3.5-turbo", "gpt-4", "o1-preview"])
def test_a_retired_name_is_answered_by_its_successor(upstream: FakeUpstream, name: str) -> None:
    assert chosen(router(upstream), name) == ("fake", SUCCESSORS[name], name)


def test_a_retired_name_that_the_upstream_lists_is_its_own(upstream: FakeUpstream) -> None:
    upstream.listing = listed("gpt-4")
    names = router(upstream)
    assert chosen(names, "gpt-4") == ("fake", "gpt-4", None)
    assert chosen(names, "gpt-3.5-turbo")[2] == "gpt-3.5-turbo"
    assert upstream.listed == 1, "the list is kept for a while"


def test_no_successor_is_retired_itself() -> None:
    assert not set(SUCCESSORS.values()) & set(SUCCESSORS)


def test_a_lone_local_model_answers_every_name(upstream: FakeUpstream) -> None:
    upstream.answers_for = ("*",)
    names = router(upstream)
    assert chosen(names, "gpt-99") == ("fake", "gpt-4o-mini", "gpt-99")
    # No setting names OpenAI: a prompt goes there with a key of the caller's `api_key` only.
    assert chosen(names, "openai/gpt-4o") == ("fake", "gpt-4o-mini", "openai/gpt-4o")
    assert upstream.listed == 0


@pytest.mark.parametrize("name", ["gpt-4o", "o1-mini", "o3", "o4-mini", "chatgpt-4o-latest"])
def test_ollama_answers_for_openais_names(name: str) -> None:
    assert chosen(router(ollama()), name) == ("ollama", "llama3", name)


@pytest.mark.parametrize("name", ["gpt-oss", "gpt-oss:latest"])
def test_but_not_for_those_that_it_lists(name: str) -> None:
    names = router(ollama())
    assert chosen(names, name) == ("ollama", name, None)
    assert chosen(names, "gpt-oss:120b") == ("ollama", "llama3", "gpt-oss:120b")


@pytest.mark.parametrize("name", ["mistral", "mistral:7b", "claude-opus", "omni", "llama3:latest"])
def test_other_names_are_ollamas_to_judge(name: str) -> None:
    upstream = ollama()
    assert chosen(router(upstream), name) == ("ollama", name, None)
    assert upstream.listed == 0


def test_ollama_that_cannot_be_asked_answers_for_openais_names() -> None:
    upstream = ollama()
    upstream.listing = UpstreamTimeout("x")
    assert chosen(router(upstream), "gpt-4o")[1] == "llama3"


def test_names_that_are_not_allowed_are_not_found(upstream: FakeUpstream) -> None:
    names = router(upstream, allowed=("gpt-4o*",))
    assert chosen(names, "gpt-4")[1] == "gpt-4o"  # the one that answers is allowed
    for name in ("gpt-5.5", "o1", "openai/o1"):
        with pytest.raises(ModelNotFound):
            names.route(name)


def test_a_name_that_is_not_allowed_is_not_answered_by_a_stand_in(upstream: FakeUpstream) -> None:
    upstream.answers_for = ("*",)
    names = router(upstream, allowed=("gpt-4o",))
    assert chosen(names, "gpt-4o") == ("fake", "gpt-4o-mini", "gpt-4o")
    assert chosen(names, None)[1] == "gpt-4o-mini"
    with pytest.raises(ModelNotFound):
        names.route("zzz")


def test_a_name_goes_to_the_upstream_that_lists_it(upstream: FakeUpstream) -> None:
    upstream.listing = listed("gpt-4o", "shared")
    names = router(upstream, other := ollama())
    other.listing = listed("mistral:latest", "shared")
    assert chosen(names, "mistral") == ("ollama", "mistral", None)
    assert chosen(names, "gpt-4o") == ("fake", "gpt-4o", None)
    assert chosen(names, "shared")[0] == "fake", "the default one first"
    assert chosen(names, "nowhere") == ("fake", "nowhere", None)


def test_a_prefix_names_the_upstream(upstream: FakeUpstream) -> None:
    names = router(upstream, ollama())
    assert chosen(names, "ollama/phi3") == ("ollama", "phi3", "ollama/phi3")
    assert chosen(names, "ollama/gpt-4o") == ("ollama", "gpt-4o", "ollama/gpt-4o")
    assert chosen(names, "fake/gpt-4") == ("fake", "gpt-4o", "fake/gpt-4")
    assert chosen(names, "openai/gpt-4o") == ("openai", "gpt-4o", "openai/gpt-4o")
    assert chosen(names, "ollama/") == ("fake", "ollama/", None)


def test_a_name_that_is_listed_with_such_a_prefix_stays_whole(upstream: FakeUpstream) -> None:
    upstream.listing = listed("openai/gpt-oss-20b")
    assert chosen(router(upstream), "openai/gpt-oss-20b") == ("fake", "openai/gpt-oss-20b", None)


def test_openais_names_go_to_openai_where_it_is_set_up_too() -> None:
    openai = FakeUpstream("openai")
    openai.listing = UpstreamTimeout("x")
    names = router(ollama(), openai)
    assert chosen(names, "gpt-4o") == ("openai", "gpt-4o", None)
    assert chosen(names, "gpt-4") == ("openai", "gpt-4o", "gpt-4")
    assert chosen(names, "gpt-oss") == ("ollama", "gpt-oss", None)
    assert chosen(names, "claude-opus") == ("ollama", "claude-opus", None)


def test_claimed_names_go_to_their_upstream_and_nobody_is_asked(upstream: FakeUpstream) -> None:
    other = FakeUpstream("groq")
    names = router(upstream, other, claims=[("llama-*", "groq")])
    assert chosen(names, "llama-3.3") == ("groq", "llama-3.3", None)
    assert (upstream.listed, other.listed) == (0, 0)


def test_an_alias_stands_for_another_name(upstream: FakeUpstream) -> None:
    aliases = {"fast": "ollama/phi3", "gpt-4": "my-own"}
    names = router(upstream, ollama(), aliases=aliases)
    assert chosen(names, "fast") == ("ollama", "phi3", "fast")
    assert chosen(names, "gpt-4") == ("fake", "my-own", "gpt-4")


def test_a_default_model_is_a_name_like_any_other(upstream: FakeUpstream) -> None:
    upstream.default_model = "gpt-4"
    assert chosen(router(upstream), None) == ("fake", "gpt-4o", "gpt-4")
    assert chosen(router(upstream), "gpt-4") == ("fake", "gpt-4o", "gpt-4")
    aliased = router(upstream, ollama(), aliases={"gpt-4": "ollama/phi3"})
    assert chosen(aliased, None) == ("ollama", "phi3", "gpt-4")
    upstream.listing = listed("gpt-4")
    assert chosen(router(upstream), None) == ("fake", "gpt-4", None)


def test_nobody_is_asked_for_lists_on_behalf_of_fallbacks(upstream: FakeUpstream) -> None:
    other = FakeUpstream("dead")
    names = router(upstream, other, fallbacks={"*": ["dead/m", "gpt-4", "any"]})
    assert len(names.route(None)) == 4
    assert (upstream.listed, other.listed) == (0, 0)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("gpt-4o", [("fake", "gpt-4o"), ("ollama", "phi3"), ("fake", "gpt-4o-mini")]),
        ("gpt-4", [("fake", "gpt-4o"), ("ollama", "phi3"), ("fake", "gpt-4o-mini")]),
        ("ollama/phi3", [("ollama", "phi3"), ("fake", "gpt-4o")]),
        (None, [("fake", "gpt-4o-mini"), ("ollama", "any")]),
        ("else", [("fake", "else"), ("ollama", "any")]),
        ("ollama/any", [("ollama", "any")]),
    ],
)
def test_fallbacks_follow_by_name(
    upstream: FakeUpstream, asked: str | None, expected: list[tuple[str, str]]
) -> None:
    fallbacks = {
        "gpt-4o": ["ollama/phi3", "small"],
        "ollama/phi3": ["gpt-4o"],
        "*": ["ollama/any"],
    }
    names = router(upstream, ollama(), fallbacks=fallbacks, aliases={"small": "gpt-4o-mini"})
    targets = names.route(asked)
    assert [(target.upstream.name, target.model) for target in targets] == expected
    name = asked or "gpt-4o-mini"
    assert {target.alias for target in targets if target.model != name} <= {name}


def test_a_key_that_only_openai_may_see_goes_there(upstream: FakeUpstream) -> None:
    aliases = {"fast": "openai/gpt-5.5"}
    names = router(upstream, ollama(), fallbacks={"*": ["ollama/phi3"]}, aliases=aliases)
    models = {None: "gpt-4o-mini", "o3": "o3", "openai/o3": "o3", "gpt-4": "gpt-4o"}
    models["fast"] = "gpt-5.5"
    for asked, model in models.items():
        (target,) = names.route(asked, openai_only=True)
        assert (target.upstream.name, target.model) == ("openai", model)
