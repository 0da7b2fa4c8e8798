#!/usr/bin/env python3
"""outcome.py BUILD: the connection breaks between a write and its answer; TAP.

A relay stands between the command and the node. It lets through so many bytes of what the node says and drops the
rest with the connection, on the first connection alone: wherever that is, a task is made once or not at all, and the
command knows which. Bytes, for how many of them arrive at once is another number each time.
"""
import json
import socket
import threading

import world as the_world

TASK = {"function": {"name": "echo", "version": 1}, "arguments": {}, "inputs": [{"name": "in", "data": "base"}],
        "outputs": [{"name": "out", "receivers": ["alice"]}]}


CUTS = 24
IN_THE_ANSWER = 64  # so many bytes before the end are part of the answer; signatures differ by a byte or two


class Relay(threading.Thread):
    """Cuts its first connection behind so many bytes; None: never."""

    def __init__(self, port, cut_at):
        super().__init__(daemon=True)
        self.to, self.cut_at, self.connections, self.first, self.said = port, cut_at, 0, None, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.first = self.first or near
            far = socket.create_connection(("127.0.0.1", self.to))
            limit = self.cut_at if self.connections == 1 else None
            threading.Thread(target=self.carry, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, limit), daemon=True).start()

    def carry(self, source, sink, limit):
        carried = 0
        try:
            while (limit is None or carried < limit) and (piece := source.recv(1 << 16)):
                piece = piece[:None if limit is None else limit - carried]
                sink.sendall(piece)
                carried += len(piece)
                if sink is self.first:
                    self.said = carried
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


def lead(w, port):
    path = w.dir / "alice" / "contexts" / "node.json"
    known = json.loads(path.read_text())
    known["address"] = f"127.0.0.1:{port}"
    path.write_text(json.dumps(known))


def tasks(w):
    return len(w.ask("alice", "GET", "/tasks")[1]["tasks"])


def run(w, tap):
    node = the_world.Node(w).start()
    node.join("admin")
    node.welcome("alice")
    base = w.dir / "base.csv"
    base.write_text("a,b\n1,2\n")
    w.cli("alice", "data", "put", "base", base)
    file = w.dir / "task.json"
    file.write_text(json.dumps(TASK))
    wrong, learned = [], 0

    def create(cut_at):
        nonlocal learned
        before = tasks(w)
        relay = Relay(node.public["port"], cut_at)
        lead(w, relay.port)
        done = w.cli("alice", "task", "create", file, check=False)
        relay.close()
        lead(w, node.public["port"])
        made = tasks(w) - before
        if (done.returncode, made) not in ((0, 1), (69, 0)):
            wrong.append(f"cut at {cut_at}: status {done.returncode}, {made} tasks: {done.stderr}")
        learned += done.returncode == 0 and relay.connections > 1
        return relay.said

    last = create(None) - IN_THE_ANSWER
    for i in range(CUTS + 1):
        create(last * i // CUTS)
    tap.ok(not wrong, "wherever the connection breaks, a task is made once or not at all, and the command says which",
           "\n".join(wrong))
    tap.ok(learned > 0, "a write whose answer was lost is repeated under its number, and its outcome learned",
           f"{CUTS + 1} cuts")


if __name__ == "__main__":
    the_world.main(run)
