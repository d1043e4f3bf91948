"""Putting a step of an interaction of Gemini's together, and its content."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence

import msgspec

from ..shared.lenient import Fields
from ..shared.provider_errors import NOT_JSON
from ..shared.typed_events import merged
from .content import (
    Annotation,
    AudioContent,
    Content,
    DocumentContent,
    ImageContent,
    MediaContent,
    TextContent,
    VideoContent,
)
from .events import (
    ArgumentsDelta,
    Delta,
    TextAnnotationDelta,
    ThoughtSignatureDelta,
    ThoughtSummaryDelta,
)
from .steps import FunctionCallStep, ModelOutputStep, Output, ServerToolCall, Step, ThoughtStep


class ContentBuilder:
    """A piece of content as far as it has come."""

    def __init__(self, start: Content) -> None:
        self.start = start
        self.parts: list[str] = []  # of a text, or of sound in Base64
        self.annotations: list[Annotation] = []

    def build(self) -> Content:
        match self.start:
            case TextContent(text=text, annotations=annotations):
                if self.annotations:
                    annotations = (*(annotations or ()), *self.annotations)
                return TextContent(text=text + "".join(self.parts), annotations=annotations)
            case AudioContent(data=data) if self.parts:
                return msgspec.structs.replace(self.start, data=join_base64([data or "", *self.parts]))
            case _:
                return self.start


class ContentListBuilder:
    """The content of a step as far as it has come. Text that goes on is one piece, and so is sound."""

    def __init__(self, start: Sequence[Content]) -> None:
        self._pieces = [ContentBuilder(piece) for piece in start]

    def add(self, piece: Content) -> None:
        last = self._pieces[-1] if self._pieces else None
        if isinstance(piece, TextContent):
            if last is None or not isinstance(last.start, TextContent):
                self._pieces.append(ContentBuilder(piece))
            else:
                last.parts.append(piece.text)
                last.annotations += piece.annotations or ()
        elif last is not None and isinstance(piece, AudioContent) and goes_on(last.start, piece):
            last.parts.append(piece.data or "")
        else:
            self._pieces.append(ContentBuilder(piece))

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Add annotations to the last piece, which is a text, or else to an empty text."""
        self.add(TextContent(annotations=tuple(annotations)))

    def build(self) -> tuple[Content, ...]:
        return tuple(piece.build() for piece in self._pieces)


class StepBuilder:
    """A step as far as it has come."""

    def __init__(self, start: Step) -> None:
        self.start = start
        self.is_output: bool = isinstance(start, ModelOutputStep)
        self.stopped = False
        match start:
            case ModelOutputStep(content=content) | ThoughtStep(summary=content):
                self.content: ContentListBuilder = ContentListBuilder(content)
            case _:
                self.content = ContentListBuilder(())
        self._arguments: list[str] = []

    def takes(self, delta: Delta) -> bool:
        """Return whether a delta goes on with this step, by what the two are."""
        match delta:
            case TextContent() | MediaContent() | TextAnnotationDelta():
                return self.is_output
            case ThoughtSummaryDelta() | ThoughtSignatureDelta():
                return isinstance(self.start, ThoughtStep)
            case ArgumentsDelta():
                return not isinstance(self.start, ModelOutputStep | ThoughtStep)
            case _:
                return self.start.type == delta.type

    def add(self, delta: Delta) -> None:
        match delta:
            case TextContent() | MediaContent():
                self.content.add(delta)
            case TextAnnotationDelta(annotations=annotations):
                self.content.annotate(annotations)
            case ThoughtSummaryDelta(content=content):
                if content is not None:
                    self.content.add(content)
            case ThoughtSignatureDelta(signature=signature):
                self.start = msgspec.structs.replace(self.start, signature=signature)
            case ArgumentsDelta():
                self._arguments.append(delta.fragment)
            case FunctionCallStep(arguments=arguments):
                arguments = arguments or getattr(self.start, "arguments", {})
                self.start = msgspec.structs.replace(merged(self.start, delta), arguments=arguments)
            case _:
                self.start = merged(self.start, delta)

    def build(self) -> Step:
        match self.start:
            case ModelOutputStep():
                return msgspec.structs.replace(self.start, content=self.content.build())
            case ThoughtStep():
                return msgspec.structs.replace(self.start, summary=self.content.build())
            case FunctionCallStep(arguments=arguments) | ServerToolCall(arguments=arguments):
                return msgspec.structs.replace(self.start, arguments=self._parsed_arguments(arguments))
            case _:
                return self.start

    def arguments_text(self) -> str:
        """Return the JSON text of a function call's arguments, as far as it has come."""
        text = "".join(self._arguments)
        if text or not isinstance(self.start, FunctionCallStep):
            return text
        return self.start.arguments_text or ("{}" if self.stopped else "")

    def _parsed_arguments(self, otherwise: Fields) -> Fields:
        """Return the arguments that came in fragments, or `otherwise` as long as they are not whole."""
        try:
            return decode_arguments("".join(self._arguments))
        except NOT_JSON:
            return otherwise


def begin_step(begun: Step | Output) -> StepBuilder:
    """Begin a step, also with a piece of content of the interactions that have no steps."""
    match begun:
        case TextContent() | ImageContent() | AudioContent() | DocumentContent() | VideoContent():
            return StepBuilder(ModelOutputStep(content=(begun,)))
        case _:
            return StepBuilder(begun)


def begin_with(delta: Delta) -> StepBuilder:
    """Begin the step that a delta adds to, where no event has said that one begins."""
    match delta:
        case TextContent() | MediaContent() | TextAnnotationDelta():
            step = StepBuilder(ModelOutputStep())
        case ThoughtSummaryDelta() | ThoughtSignatureDelta():
            step = StepBuilder(ThoughtStep())
        case ArgumentsDelta():
            step = StepBuilder(FunctionCallStep())
        case _:
            return StepBuilder(delta)
    step.add(delta)
    return step


def goes_on(sound: Content, more: AudioContent) -> bool:
    """Return whether `more` is of the same kind of sound."""
    return isinstance(sound, AudioContent) and msgspec.structs.replace(sound, data=None) == (
        msgspec.structs.replace(more, data=None)
    )


def join_base64(parts: Sequence[str]) -> str:
    """Join parts of bytes in Base64: parts of one text, or, with padding in the middle, several texts."""
    if any(part.endswith("=") for part in parts[:-1]):
        try:
            return b64encode(b"".join(map(b64decode, parts))).decode()
        except ValueError:
            pass
    return "".join(parts)


decode_arguments: Callable[[bytes | str], Fields] = msgspec.json.Decoder(Fields).decode
