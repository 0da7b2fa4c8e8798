"""An initramfs as a function of its files: sorted, of root, of no time (cpio's newc, as the kernel unpacks it)."""
import stat


def entry(number, name, mode, content):
    fields = [number, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
    head = "070701" + "".join(f"{f:08x}" for f in fields) + name + "\0"
    return head.encode().ljust(-len(head) % 4 + len(head), b"\0") + content + b"\0" * (-len(content) % 4)


def archive(folders, files):
    """`folders`: paths; `files`: {path: (mode, content)}. Folders on the way to a file come by themselves."""
    every = set(folders)
    for path in [*files, *folders]:
        parts = path.split("/")
        every |= {"/".join(parts[:n]) for n in range(1, len(parts))}
    out, number = [], 1
    for path in sorted(every | set(files)):  # a folder sorts before what is in it
        mode, content = files.get(path, (stat.S_IFDIR | 0o755, b""))
        out.append(entry(number, path, mode, content))
        number += 1
    out.append(entry(0, "TRAILER!!!", 0, b""))
    data = b"".join(out)
    return data + b"\0" * (-len(data) % 512)
