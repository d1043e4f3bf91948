"""Chat completions: what `openai` and `groq` share."""
