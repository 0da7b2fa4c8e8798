"""layers.txt as a value, for the tools that hold the tree to it."""
import fnmatch
import functools
import re

ROOTS = ["lib", "tee", "client", "host", "tests", "bench"]
BESIDE = re.compile(r"_(test|fuzz|bench)\.[ch]$")  # tests stand beside the code and may include anything


@functools.lru_cache(maxsize=None)
def glob(pattern):
    steps = []
    for step in pattern.split("/"):
        steps.append(r"(?:/[^/]+)*" if step == "**" else "/" + re.escape(step).replace(r"\*", "[^/]*"))
    return re.compile("".join(steps))


def matches(path, pattern):
    return glob(pattern).fullmatch("/" + path) is not None


def allowed(path, patterns):
    """Whether `path` is in the list, read left to right, where ! takes away."""
    answer = False
    for p in patterns:
        if matches(path, p.lstrip("!")):
            answer = not p.startswith("!")
    return answer


class Law:
    def __init__(self, text):
        self.rows, self.headers, self.functions, self.never = [], {}, {}, set()
        section = None
        for line in text.splitlines():
            words = line.split("#")[0].strip()
            if words.startswith("["):
                section = words.strip("[]")
            elif words and section == "folders":
                who, ours, others = [column.split() for column in words.split("|")]
                self.rows.append((who[0], [w for w in ours if w != "-"], [w for w in others if w != "-"]))
            elif words and section == "never":
                self.never.update(words.split())
            elif words:
                name, *rest = words.split()
                getattr(self, section).setdefault(name, []).extend(rest)

    def row_of(self, file):
        """(ours, others) for a file, a path from the root; None if nobody knows its folder."""
        folder = file.rsplit("/", 1)[0]
        found = next(((ours, others) for who, ours, others in self.rows if matches(folder, who)), None)
        if found is None:
            return None
        ours, others = [folder] + found[0], ["c"] + found[1]
        for who, more_ours, more_others in self.rows:
            if who == file:
                ours, others = ours + more_ours, others + more_others
        return ours, others

    def may_include(self, file, other):
        """Whether `file` may include our `other`, both paths from the root."""
        ours = self.row_of(file)[0]
        return allowed(other.rsplit("/", 1)[0], ours) or allowed(other, [w for w in ours if w.endswith(".h")])

    def may_include_system(self, file, header):
        others = self.row_of(file)[1]
        return "**" in others or any(fnmatch.fnmatchcase(header, h) for w in others for h in self.headers.get(w, []))

    def single_headers(self, file):
        """Headers of ours that `file` reaches one at a time: of its own row, and through the folders it may include."""
        ours = self.row_of(file)[0]
        own = [w for w in ours if w.endswith(".h")]
        return own + [w for who, theirs, _ in self.rows if allowed(who, ours) for w in theirs if w.endswith(".h")]
