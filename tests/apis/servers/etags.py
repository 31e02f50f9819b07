"""Entity tags and what requests ask of them (RFC 9110 §8.8.3, §13.1)."""

import re

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def strong_match(asked, tag):
    """Whether an If-Match header lets a request through to a resource whose strong tag is `tag` (None: there is none). A
    weak tag never does."""
    if tag is None:
        return False
    return asked.strip() == "*" or any(opaque == tag for weak, opaque in _TAG.findall(asked) if not weak)


def weak_match(asked, tag):
    """The same as W/"x" would be compared with "x": right for If-None-Match, wrong for If-Match."""
    if tag is None:
        return False
    return asked.strip() == "*" or any(opaque == tag for _, opaque in _TAG.findall(asked))
