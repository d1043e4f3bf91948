"""The content of an interaction of Gemini's; as a delta, a part of it."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import Any, TypeAlias

from ..shared.typed_events import Tagged, Unknown

# Annotations of a text; their places are in bytes.


class URLCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="url_citation"):
    """A page that the text rests on."""

    start_index: int | None = None
    end_index: int | None = None
    title: str | None = None
    url: str | None = None


class FileCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="file_citation"):
    """A file that the text rests on."""

    start_index: int | None = None
    end_index: int | None = None
    document_uri: str | None = None
    file_name: str | None = None
    media_id: str | None = None
    page_number: int | None = None
    source: str | None = None
    custom_metadata: Any = None


class PlaceCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="place_citation"):
    """A place on the map that the text is about."""

    start_index: int | None = None
    end_index: int | None = None
    name: str | None = None
    place_id: str | None = None
    url: str | None = None
    review_snippets: Any = None


class SpeechAnnotation(Tagged, frozen=True, kw_only=True, gc=False, tag="speech_metadata"):
    """Who says a piece of the text, and how."""

    start_index: int | None = None
    end_index: int | None = None
    speaker: str | None = None
    style: str | None = None


class WordInfo(Tagged, frozen=True, kw_only=True, gc=False, tag="word_info"):
    """When a word was said, and by whom."""

    start_index: int | None = None
    end_index: int | None = None
    start_offset: str | None = None
    end_offset: str | None = None
    speaker: str | None = None
    text: str | None = None


Annotation: TypeAlias = URLCitation | FileCitation | PlaceCitation | SpeechAnnotation | WordInfo | Unknown

# Content.


class TextContent(Tagged, frozen=True, kw_only=True, gc=False, tag="text"):
    """Text, and what it rests on."""

    ESSENTIAL = frozenset({"text"})

    text: str = ""
    annotations: tuple[Annotation, ...] | None = None


class MediaContent(Tagged, frozen=True, kw_only=True, gc=False):
    """Bytes in Base64, or where they are."""

    data: str | None = None
    mime_type: str | None = None
    uri: str | None = None


class ImageContent(MediaContent, frozen=True, kw_only=True, gc=False, tag="image"):
    """An image."""

    resolution: str | None = None


class AudioContent(MediaContent, frozen=True, kw_only=True, gc=False, tag="audio"):
    """Sound, whole or a part of it."""

    channels: int | None = None
    rate: int | None = None
    sample_rate: int | None = None
    processing: Any = None


class DocumentContent(MediaContent, frozen=True, kw_only=True, gc=False, tag="document"):
    """A document."""

    resolution: str | None = None
    processing: Any = None


class VideoContent(MediaContent, frozen=True, kw_only=True, gc=False, tag="video"):
    """A video."""

    name: str | None = None
    resolution: str | None = None
    processing: Any = None


Content: TypeAlias = TextContent | ImageContent | AudioContent | DocumentContent | VideoContent | Unknown
