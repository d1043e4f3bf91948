from ._decoder import EventDecoder, Event
