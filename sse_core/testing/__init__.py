"""Help for testing anything that reads or writes an event stream, this library or another.

| module | what it has |
|---|---|
| `python -m sse_core.testing` | the score of any decoder |
| `suite` | the same as tests for pytest |
| `scoring`, `reporting` | the same as functions |
| `vectors` | the vectors, the ways to cut them, and what a decoder gets wrong |
| `exchanges` | the same for HTTP/1.1 responses, and the exchange that receives them |
| `sessions` | the same for the lives of streams |
| `dialects` | the same for the streams of providers |
| `pairs` | whether an answer that was put together is like one that came whole |
| `reference` | the standard's algorithm, slow and obvious |
| `strategies` | Hypothesis strategies: streams with their events, adversarial streams, cuts |
| `adversarial` | the like from a seed, without Hypothesis |

Of all this only `suite` needs pytest, and only `strategies` Hypothesis.
"""
