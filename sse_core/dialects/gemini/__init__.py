"""Gemini's generateContent: see `dialect` for what the stream is like."""

from ..shared.typed_events import ToolCallDelta
from .answer import (
    Blob,
    Candidate,
    CodeExecutionResult,
    Content,
    ExecutableCode,
    FunctionCall,
    FunctionCallPart,
    GenerateContentResponse,
    ModalityTokenCount,
    Part,
    PartialArg,
    PromptFeedback,
    SafetyRating,
    UsageMetadata,
)
from .dialect import GeminiParams, generate, generate_content

__all__ = [
    "Blob",
    "Candidate",
    "CodeExecutionResult",
    "Content",
    "ExecutableCode",
    "FunctionCall",
    "FunctionCallPart",
    "GeminiParams",
    "GenerateContentResponse",
    "ModalityTokenCount",
    "Part",
    "PartialArg",
    "PromptFeedback",
    "SafetyRating",
    "ToolCallDelta",
    "UsageMetadata",
    "generate",
    "generate_content",
]
